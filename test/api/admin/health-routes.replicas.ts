import { expect, onTestFinished, test } from "vitest";
import { chatBody, postChat, startGateway } from "../../gateway.js";
import { RedisServer } from "../../store/redis/redis-server.js";
import { adminJson, requestAdmin } from "./administrator.js";

test("the password of Redis is in no log line, answer, check or support bundle, whether Redis works or not", async () => {
  const server = await RedisServer.start({ settings: { requirepass: "CANARY" } });
  onTestFinished(() => server.stop());
  const gateway = await startGateway({ redis: server.url });
  const answers: string[] = [];
  const collect = async () => {
    answers.push(await (await postChat(gateway, chatBody("hello"))).text());
    for (const [method, path] of [
      ["GET", "/server"],
      ["GET", "/log"],
      ["GET", "/keys"],
      ["POST", "/diagnostics"],
      ["GET", "/support-bundle"],
    ] as const)
      answers.push(
        await (
          await requestAdmin(gateway, method, path, method === "POST" ? { offline: true } : undefined)
        ).text(),
      );
  };
  expect(await adminJson(gateway, "GET", "/server")).toMatchObject({
    store: `redis://127.0.0.1:${server.port}`,
  });
  await collect();
  await server.kill();
  await collect();
  const everything = answers.join("\n") + JSON.stringify(gateway.logEntries());
  expect(everything).toContain(`redis://127.0.0.1:${server.port}`);
  expect(everything).not.toContain("CANARY");
});
