import { describe, expect, test } from "vitest";
import { json, platformKey, startPlatform } from "../upstreams/openai/scripted-platform.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "./process.js";

/** Clears the screen, sets the title, begins a new line, reverses what follows. */
const hostile = "\u001b[2J\u001b]0;title\u0007\u009b31m\r\nok    forged: line\u2028\u202eevil";
const controls = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/** A folder whose config has a service that puts control characters wherever it can. */
async function createFolderWithHostileService(): Promise<string> {
  const platform = await startPlatform();
  const model = { id: `kimi-k2.6${hostile}`, display_name: hostile, owned_by: hostile };
  platform.respondToModelsWith(json(200, { object: "list", data: [model] }));
  platform.respondWith(json(400, { error: { message: `Hostile ${hostile}`, type: hostile, code: hostile } }));
  const folder = createTemporaryFolder();
  const upstream = { name: "p", kind: "openai", baseUrl: platform.url, apiKey: platformKey };
  writeConfig(folder, {
    token: "sk-CANARY-of-more-than-32-characters",
    server: { port: 0 },
    upstreams: [upstream],
  });
  return folder;
}

describe("control characters of a service do not reach the terminal:", () => {
  test.each([[["doctor"]], [["doctor", "--json"]]])("%j", async (args) => {
    const program = runMoonbridge(args, await createFolderWithHostileService());
    await program.exit;
    expect(program.output()).toContain("Hostile");
    expect(program.output()).toContain("forged: line");
    expect(program.output().replaceAll("\n", "")).not.toMatch(controls);
    expect(program.output()).not.toMatch(/^\s*(✓ )?ok {4}forged/m);
    expect(program.log().replaceAll("\n", "")).not.toMatch(controls);
  });

  test("an error of the API, and the log of a server", async () => {
    const program = runMoonbridge([], await createFolderWithHostileService());
    const url = await program.ready;
    const headers = { authorization: "Bearer sk-CANARY-of-more-than-32-characters" };
    const body = JSON.stringify({ model: "kimi", messages: [{ role: "user", content: "hello" }] });
    const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body });
    const error = await response.text();
    expect(error).toContain("Hostile");
    expect(error).not.toMatch(controls);
    program.kill("SIGTERM");
    expect(await program.exit).toBe(0);
    expect(program.log()).toContain('"route":"/v1/chat/completions"');
    expect((program.log() + program.output()).replaceAll("\n", "")).not.toMatch(controls);
  });
});
