import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { expect, onTestFinished, test } from "vitest";
import { callTool, eras } from "../api/mcp/mcp-client.js";
import { createTemporaryFolder, programPath, runMoonbridge, writeConfig } from "./process.js";

/** The official client, with “moonbridge mcp” as its child process, answered by the built-in simulator. */
async function startMcp(folder: string, args: string[] = [], era: (typeof eras)[number] = "2025") {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [programPath, "mcp", ...args],
    cwd: folder,
    stderr: "pipe",
  });
  let log = "";
  transport.stderr?.on("data", (data: Buffer) => {
    log += data;
  });
  const client = new Client(
    { name: "test", version: "1" },
    era === "2025" ? {} : { versionNegotiation: { mode: { pin: era } } },
  );
  await client.connect(transport);
  onTestFinished(() => client.close());
  return { client, log: () => log };
}

function createFolder(): string {
  const folder = createTemporaryFolder();
  writeConfig(folder, {});
  return folder;
}

test.each(eras)("moonbridge mcp serves a client of the revision %s, without a key", async (era) => {
  const { client } = await startMcp(createFolder(), [], era);
  const searched = await callTool(client, "kimi_search", { question: "news sim:search" });
  expect(searched.structured.sources.map(({ url }) => url)).toContain("https://example.org/simulated");
  const { conversation_id } = searched.structured;
  const asked = await callTool(client, "kimi_ask", { prompt: "sim:recall", conversation_id });
  expect(asked.structured.answer).toContain("news sim:search");
});

test("moonbridge mcp reads files of the folders that it is given, and no others", async () => {
  const folder = createFolder();
  const [open, closed] = [join(folder, "open"), join(folder, "closed")];
  mkdirSync(open);
  mkdirSync(closed);
  writeFileSync(join(open, "harbour.txt"), "The harbour master is Quintillian.");
  writeFileSync(join(closed, "secret.txt"), "CANARY");
  symlinkSync(join(closed, "secret.txt"), join(open, "link.txt"));
  const { client, log } = await startMcp(folder, ["--folder", open]);
  const read = (source: string) =>
    callTool(client, "kimi_read", { source, question: "sim:recall=Quintillian" });
  expect((await read(join(open, "harbour.txt"))).structured.answer).toContain("Quintillian");
  for (const source of [
    join(closed, "secret.txt"),
    join(open, "link.txt"),
    join(open, "../closed/secret.txt"),
    join(open, "nothing.txt"),
    open,
    "harbour.txt",
  ])
    expect(await read(source)).toMatchObject({ isError: true, text: expect.stringMatching(/^source: /) });
  expect(log()).not.toMatch(/Quintillian|CANARY/);
});

test("standard output has nothing but the protocol, and ends with the input", async () => {
  const initialize = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "x", version: "1" } },
  };
  const process = runMoonbridge(["mcp"], createFolder(), {}, `${JSON.stringify(initialize)}\nnot JSON\n`);
  expect(await process.exit).toBe(0);
  const lines = process.output().trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).jsonrpc)).toEqual(lines.map(() => "2.0"));
  expect(process.log()).toContain("the built-in simulator answers");
});

test("a folder that is not there is an error before anything is served", async () => {
  const process = runMoonbridge(["mcp", "--folder", "no-such-folder"], createFolder());
  expect(await process.exit).toBe(1);
  expect(process.log()).toContain("--folder: there is no such folder.");
});
