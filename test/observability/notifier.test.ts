import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { limits } from "../../src/core/limits.js";
import { Notifier, type NotifySettings } from "../../src/observability/notifier.js";
import { chatBody, postChat, startGateway } from "../gateway.js";

const notification = { event: "login_required", upstream: "me", text: "me: log in again" } as const;

function startNotifier(settings: NotifySettings) {
  const warnings: { message: string; error: unknown }[] = [];
  const notifier = new Notifier({
    settings: () => settings,
    warn: (message, error) => warnings.push({ message, error }),
  });
  onTestFinished(() => notifier.close());
  return { notifier, warnings };
}

/** A program that writes its standard input and its environment into files. */
function writeProgram(script: string): { program: string; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "moonbridge-notify-"));
  const program = join(folder, "program with spaces.sh");
  writeFileSync(program, `#!/bin/sh\ncd "${folder}"\n${script}\n`);
  chmodSync(program, 0o700);
  return { program, folder };
}

async function startWebhook(status: number) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      bodies.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/hook?key=CANARY-hook`, bodies };
}

test("the command gets the notification on standard input and in variables, and no secret of the environment", async () => {
  process.env.MOONBRIDGE_TOKEN = "sk-CANARY-environment";
  onTestFinished(() => {
    delete process.env.MOONBRIDGE_TOKEN;
  });
  const { program, folder } = writeProgram(
    'cat > input; env > environment; echo "$1" > argument; mv argument done',
  );
  const { notifier } = startNotifier({ command: [program, "$(touch injected)"] });
  notifier.notify(notification);
  await expect.poll(() => readIfThere(join(folder, "done"))).toBe("$(touch injected)\n");
  expect(JSON.parse(readFileSync(join(folder, "input"), "utf8"))).toMatchObject(notification);
  const environment = readFileSync(join(folder, "environment"), "utf8");
  expect(environment).toContain("MOONBRIDGE_EVENT=login_required\n");
  expect(environment).not.toContain("CANARY");
});

test("the webhook gets the notification as JSON", async () => {
  const { url, bodies } = await startWebhook(200);
  const { notifier, warnings } = startNotifier({ webhook: url });
  notifier.notify(notification);
  await expect.poll(() => bodies).toHaveLength(1);
  const [, path, body] = /^POST (\S+) (.*)$/.exec(bodies[0] ?? "") ?? [];
  expect(path).toBe("/hook?key=CANARY-hook");
  expect(JSON.parse(body ?? "")).toMatchObject({ ...notification, time: expect.any(String) });
  expect(warnings).toEqual([]);
});

test.each([
  [
    "a command that fails",
    async (): Promise<NotifySettings> => ({ command: [writeProgram("exit 3").program] }),
    "EXIT_3",
  ],
  ["a command that is missing", async () => ({ command: ["/no/such/CANARY"] }), "ENOENT"],
  ["a webhook that refuses", async () => ({ webhook: (await startWebhook(403)).url }), "HTTP_403"],
  ["a webhook that is unreachable", async () => ({ webhook: "http://127.0.0.1:1/CANARY" }), "ECONNREFUSED"],
])("%s is a warning with a code, and does not hold up the next notification", async (_, settings, code) => {
  const { notifier, warnings } = startNotifier(await settings());
  notifier.notify(notification);
  notifier.notify(notification);
  await expect.poll(() => warnings).toHaveLength(2);
  const message = expect.stringMatching(/^a notification could not be delivered to the (command|webhook)$/);
  expect(warnings[0]).toMatchObject({ message, error: { code } });
});

test.skipIf(process.platform === "win32")(
  "a command that is stopped takes its own processes with it",
  async () => {
    const { program, folder } = writeProgram("sleep 1000 & echo $! > pid; mv pid started; wait");
    const { notifier, warnings } = startNotifier({ command: [program] });
    notifier.notify(notification);
    await expect.poll(() => readIfThere(join(folder, "started"))).toMatch(/^\d+\n$/);
    await notifier.close();
    expect(warnings).toMatchObject([
      { message: "a notification could not be delivered to the command", error: { name: "AbortError" } },
    ]);
    const pid = readFileSync(join(folder, "started"), "utf8").trim();
    // One that has ended and that nobody waited for is a zombie.
    const state = () => spawnSync("ps", ["-o", "stat=", "-p", pid], { encoding: "utf8" }).stdout;
    await expect.poll(state).toMatch(/^(Z.*\s*)?$/);
  },
);

test("more notifications than may wait are dropped with a warning", () => {
  const { notifier, warnings } = startNotifier({ command: [writeProgram("sleep 5").program] });
  for (let count = 0; count <= limits.notifications; count++) notifier.notify(notification);
  expect(warnings.map(({ message }) => message)).toEqual(["a notification was dropped: too many wait"]);
});

test("something unknown in Kimi's answers is told once, without words of the conversation", async () => {
  const { url, bodies } = await startWebhook(200);
  const gateway = await startGateway({ notify: { webhook: url } });
  for (const question of ["sim:repeat=20 secret words", "sim:repeat=20 more words"]) {
    gateway.simulator.fault({ kind: "unknown" });
    await (await postChat(gateway, chatBody(question))).text();
  }
  await expect.poll(() => bodies).toHaveLength(1);
  expect(bodies[0]).toContain('"event":"kimi_changed"');
  expect(bodies[0]).not.toContain("words");
});

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
