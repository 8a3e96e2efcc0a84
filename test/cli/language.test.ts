import { describe, expect, test } from "vitest";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "./process.js";

const chinese = { LANG: "zh_CN.UTF-8" };

async function run(args: string[], environment: Record<string, string>, config?: unknown) {
  const folder = createTemporaryFolder();
  if (config !== undefined) writeConfig(folder, config);
  const program = runMoonbridge(args, folder, environment);
  return { code: await program.exit, output: program.output(), log: program.log() };
}

describe("the command line in a Chinese locale", () => {
  test("greets in Chinese, with a request that works as in English", async () => {
    const program = runMoonbridge(["--port", "0"], createTemporaryFolder(), chinese);
    await expect.poll(() => program.output(), { timeout: 20_000 }).toMatch(/^正在监听 http:\S+$/m);
    expect(program.output()).toMatch(/还没有连接 Kimi 账号：由内置模拟器回答/);
    expect(program.output()).toMatch(/^ {2}API 密钥 +sk-moonbridge-\S+ （只显示这一次/m);
    expect(program.output()).toMatch(/^ {2}curl -N http:/m);
  });

  test.each<[string, string[], unknown, RegExp]>([
    ["an unknown setting", [], { server: { prot: 1 } }, /^moonbridge: server\.prot：没有这个设置项。\n$/],
    [
      "a value that is not valid",
      [],
      { server: { port: "7000" } },
      /^moonbridge: server\.port：应为 0（任选）到 65535 的端口，不要加引号。\n$/,
    ],
    [
      "a file that is not JSON",
      [],
      "{“a”: 1}",
      /config\.json，第 1 行：不是 JSON（其中没有 “ 这个字符；请改成 "）。/,
    ],
    ["a missing file", ["--config", "x.json"], undefined, /x\.json：没有这个文件。/],
    ["a missing key", ["--host", "0.0.0.0"], undefined, /只有设置了你自己的 API 密钥/],
    ["an unknown command", ["srve"], undefined, /没有命令“srve”。你是指“serve”吗？/],
    ["a key that does not exist", ["keys", "revoke", "x"], undefined, /没有名为“x”的密钥/],
    ["a paste without a login", ["login"], undefined, /没有粘贴任何内容/],
    ["a truncated token in the config", [], { auth_token: "eyJhbGciOi" }, /auth_token：.*令牌/],
    ["a database that is none", [], { store: "sqlite:./config.json" }, /数据库|不是/],
  ])("says in Chinese what is wrong: %s", async (_name, args, config, message) => {
    const { code, log } = await run(args, chinese, config);
    expect(code).toBe(1);
    expect(log).toMatch(message);
  });

  test("prints help with Chinese titles, descriptions and examples", async () => {
    const { code, output } = await run(["keys", "add", "--help"], chinese);
    expect(code).toBe(0);
    expect(output).toMatch(/^用法：/);
    expect(output).toMatch(/^选项：$/m);
    expect(output).toMatch(/^示例：$/m);
    expect(output).toMatch(/新建密钥并显示/);
    expect(output).not.toMatch(/default:|display help|Options:/);
  });

  test("lists keys and findings in Chinese, and prints findings for programs in English", async () => {
    expect((await run(["keys", "list"], chinese)).output).toMatch(
      /^名字 +权限 +创建于 +最近使用 +到期 +限制$/m,
    );
    const config = { token: "sk-CANARY-of-more-than-32-characters", server: { port: 0 } };
    expect((await run(["doctor", "--offline"], chinese, config)).output).toMatch(/^✓ 正常 +数据库：/m);
    const { output } = await run(["doctor", "--offline", "--json"], chinese, config);
    expect(output).not.toMatch(/\p{Script=Han}/u);
    expect(JSON.parse(output)).toContainEqual(expect.objectContaining({ what: "store", state: "ok" }));
  });
});

test("MOONBRIDGE_LANG chooses the language whatever the locale is", async () => {
  expect((await run(["--help"], { ...chinese, MOONBRIDGE_LANG: "en" })).output).toMatch(/^Usage:/);
  expect((await run(["--help"], { MOONBRIDGE_LANG: "zh" })).output).toMatch(/^用法：/);
});
