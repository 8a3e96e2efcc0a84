import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Fault, startSimulator } from "../../../simulator/index.js";
import { Recorder, type RecorderOptions } from "../../../src/observability/recording/recorder.js";
import { Dialogue } from "../../conversations/dialogue.js";
import {
  asking,
  chunksOf,
  type Gateway,
  type GatewayOptions,
  post,
  startGateway,
  textOf,
} from "../../gateway.js";
import { kinds } from "../../upstreams/protocols.js";

type Recorded = { gateway: Gateway; folder: string; warnings: string[] };

/** A gateway whose exchanges with Kimi are written down. */
async function recording(options: GatewayOptions, wish: Partial<RecorderOptions> = {}): Promise<Recorded> {
  const folder = join(mkdtempSync(join(tmpdir(), "moonbridge-record-")), "deep", "recording");
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  const recorder = await Recorder.open(folder, { texts: false, warn, ...wish });
  return { gateway: await startGateway({ ...options, recorder }), folder, warnings };
}

/** The same gateway in front of what was recorded. */
function replaying(folder: string, options: GatewayOptions): Promise<Gateway> {
  return startGateway({ ...options, simulator: { replay: folder } });
}

type Line = Record<string, unknown>;

function files(folder: string): Line[][] {
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), "utf8").trimEnd().split("\n"))
    .map((lines) => lines.map((line) => JSON.parse(line)));
}

const document = { filename: "CANARY-report.pdf", file_data: "data:application/pdf;base64,JVBERi0xLjQ=" };
const picture = {
  url: "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=",
};

/** All that a person may do in an afternoon, and every byte that came back. */
async function session(gateway: Gateway): Promise<string[]> {
  const said: string[] = [];
  const ask = async (body: unknown) => {
    const response = await post(gateway, body);
    said.push(`${response.status} ${normal(await response.text())}`);
  };
  await ask(asking("a CANARY prompt", { stream: true }));
  await ask(asking("CANARY sim:think sim:repeat=12", { stream: true, reasoning_effort: "high" }));
  await ask(asking("CANARY sim:search", { stream: true }));
  await ask(asking("CANARY sim:search 天气"));
  const dialogue = new Dialogue(gateway);
  said.push(await dialogue.say("CANARY apples"), await dialogue.say("CANARY pears"));
  await ask(asking("CANARY sim:fault=garbage,2"));
  await ask(asking("CANARY sim:fault=retract,2"));
  for (const part of [
    { type: "file", file: document },
    { type: "image_url", image_url: picture },
  ])
    await ask({
      model: "kimi",
      messages: [{ role: "user", content: [{ type: "text", text: "CANARY" }, part] }],
    });
  await ask(asking("CANARY sim:unicode", { stream: true }));
  return said;
}

/** Without the ids and times that are made anew for every answer. */
function normal(body: string): string {
  return body
    .replace(/"(id|conversation_id)":"[^"]*"/g, '"$1":"…"')
    .replace(/"created":\d+/g, '"created":0')
    .replace(/\(reference: req_\w+\)/g, "");
}

describe.each(kinds)("%s", (kind) => {
  test("a session that was recorded with its texts is the same again, byte for byte", async () => {
    const { gateway, folder, warnings } = await recording({ kind }, { texts: true });
    const said = await session(gateway);
    gateway.simulator.expireAccessTokens();
    said.push(...(await session(gateway)));
    await gateway.stop();
    expect(warnings).toEqual([]);
    const all = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("");
    expect(all).toContain("CANARY apples");
    for (const gone of [/eyJ/, /CANARY-report/, /CANARYnick/]) expect(all).not.toMatch(gone);

    const replay = await replaying(folder, { kind });
    expect([...(await session(replay)), ...(await session(replay))]).toEqual(said);
  });

  test("nothing that a person said or is stands in a recording", async () => {
    const tokens: string[] = [];
    const { gateway, folder } = await recording({
      kind,
      simulator: {
        script: ({ text }) =>
          text.startsWith("CANARY answer")
            ? [{ do: "text", content: ["CANARY", " and CAN", "ARY: ", text] }]
            : undefined,
      },
      tokens: (simulator) => {
        const pair = simulator.issue({ user: "CANARYnick", accessSeconds: 0 });
        tokens.push(pair.accessToken, pair.refreshToken);
        return pair;
      },
    });
    await session(gateway);
    await post(gateway, asking(`CANARY answer ${tokens[0]}`));
    await gateway.stop();
    const bytes = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    const all = bytes.join("\n");
    expect(bytes.length).toBeGreaterThan(10);
    const spellings = [
      all,
      decodeURIComponent(all.replace(/%(?![0-9a-f]{2})/gi, "%25")),
      unescaped(all),
      all.replace(/\W/g, ""),
    ];
    for (const spelt of spellings) {
      expect(spelt).not.toMatch(/canary|Q0FOQVJZ|NBTkFSW|DQU5BUl/i);
      expect(spelt).not.toMatch(/eyJ/);
    }
    for (const token of tokens) for (const part of token.split(".")) expect(all).not.toContain(part);
    expect(all).not.toContain(Buffer.from(document.filename).toString("base64").slice(0, 12));
  });

  test("a recording without texts still gives whole answers of the same length", async () => {
    const { gateway, folder } = await recording({ kind });
    const prompts = ["sim:repeat=12", "sim:think sim:search 你好", "sim:unicode"];
    const told: string[] = [];
    for (const prompt of prompts)
      told.push(await (await post(gateway, asking(prompt, { stream: true }))).text());
    await gateway.stop();

    const replay = await replaying(folder, { kind });
    for (const original of told) {
      const again = chunksOf(await (await post(replay, asking("anything", { stream: true }))).text());
      const before = chunksOf(original);
      expect(textOf(again).length).toBe(textOf(before).length);
      expect(again.at(-1)?.choices[0]?.finish_reason).toBe("stop");
    }
    const [counted = []] = files(folder).filter(([head]) => /Chat$|stream$/.test(String(head?.path)));
    expect(
      counted.filter((line) => /^\{"(flags|data)".*("block.text|"cmpl")/.test(JSON.stringify(line))).length,
    ).toBe(12);
  });

  test("what is new in a recording is counted as drift when it is replayed", async () => {
    const { gateway, folder } = await recording({ kind });
    gateway.simulator.fault({ kind: "unknown" });
    await post(gateway, asking("sim:repeat=12"));
    await gateway.stop();
    const seen = gateway.drift.entries();
    expect(seen.length).toBeGreaterThan(3);
    if (kind === "kimi-web") expect(seen).toContainEqual({ kind: "block", name: "hologram", count: 1 });

    const replay = await replaying(folder, { kind });
    await post(replay, asking("what is new?"));
    expect(replay.drift.entries()).toEqual(seen);
  });

  const faults: Fault[] = [
    { kind: "cut", after: 2 },
    { kind: "cut-in-frame", after: 2 },
    { kind: "cut-before" },
    { kind: "no-trailer", after: 2 },
    { kind: "garbage", after: 2 },
    { kind: "http", status: 429, retryAfter: 17 },
    { kind: "http", status: 503, body: "<html>CANARY</html>" },
    { kind: "html" },
    { kind: "gzip" },
    { kind: "split" },
    { kind: "truncated", after: 2 },
    { kind: "retract", after: 2 },
    { kind: "huge", after: 2 },
    { kind: "stall", after: 2 },
    { kind: "empty" },
  ];

  test.each(faults)("$kind is replayed as it was", { timeout: 20_000 }, async (fault) => {
    // Only a stall has to be waited out; elsewhere a busy machine must not look like one.
    const quiet = fault.kind === "stall" ? 300 : 15_000;
    const patience = { silence: quiet, progress: quiet };
    const ask = async (gateway: Gateway, stream: boolean) => {
      const response = await post(gateway, asking("sim:repeat=6", { stream }));
      return [response.status, response.headers.get("retry-after"), normal(await response.text())];
    };
    const { gateway, folder, warnings } = await recording({ kind, patience }, { texts: true });
    // After a 429 or a 503 an account is left alone for a while.
    const turns = fault.kind === "http" ? [true] : [false, true, true];
    const askAll = async (gateway: Gateway) => {
      const answers: Awaited<ReturnType<typeof ask>>[] = [];
      for (const stream of turns) answers.push(await ask(gateway, stream));
      return answers;
    };
    gateway.simulator.fault(fault, 2);
    const first = await askAll(gateway);
    await gateway.stop();
    expect(warnings).toEqual([]);
    const replay = await replaying(folder, { kind, patience });
    const again = await askAll(replay);
    // Where we gave up, the recording says only that the line was cut.
    if (fault.kind === "stall" || fault.kind === "huge") {
      expect(again.map(([status]) => (status === 200 ? 200 : 5))).toEqual(
        first.map(([status]) => (status === 200 ? 200 : 5)),
      );
    } else expect(again).toEqual(first);
  });
});

describe("the folder", () => {
  test("is its owner's alone, and a later recording goes on behind the first", async () => {
    const first = await recording({});
    await post(first.gateway, asking("one"));
    await first.gateway.stop();
    expect(statSync(first.folder).mode & 0o777).toBe(0o700);
    const names = readdirSync(first.folder);
    expect(names).toEqual(["000001.jsonl", "000002.jsonl"]);
    for (const name of names) expect(statSync(join(first.folder, name)).mode & 0o777).toBe(0o600);

    const recorder = await Recorder.open(first.folder, { texts: false, warn: () => {} });
    const second = await startGateway({ recorder });
    await post(second, asking("two"));
    await second.stop();
    expect(readdirSync(first.folder).sort().at(-1)).toBe("000004.jsonl");
    const chats = files(first.folder).flatMap(
      (lines) => /"mask":"chat",.*?"id":"(.*?)"/.exec(JSON.stringify(lines))?.[1] ?? [],
    );
    expect(new Set(chats).size).toBe(2);
  });

  test("that goes away ends the recording with one word of it, and no answer", async () => {
    const { gateway, folder, warnings } = await recording({});
    rmSync(folder, { recursive: true });
    for (let turn = 0; turn < 3; turn++) expect((await post(gateway, asking("hello"))).status).toBe(200);
    await gateway.stop();
    expect(warnings).toEqual(["The recording cannot be written, and stops"]);
  });

  test("that is full ends it too", async () => {
    const { gateway, folder, warnings } = await recording({}, { mostBytes: 9_000 });
    for (let turn = 0; turn < 3; turn++)
      expect((await post(gateway, asking("sim:repeat=40"))).status).toBe(200);
    await gateway.stop();
    expect(warnings).toEqual(["The recording is as large as it may become, and stops"]);
    expect(files(folder).map((lines) => lines.at(-1))).toEqual([{ end: "complete" }]);

    writeFileSync(join(folder, "010000.jsonl"), "");
    const told: string[] = [];
    const recorder = await Recorder.open(folder, { texts: false, warn: (message) => told.push(message) });
    const next = await startGateway({ recorder });
    for (let turn = 0; turn < 3; turn++) expect((await post(next, asking("hello"))).status).toBe(200);
    await next.stop();
    expect(told).toEqual(["The recording has as many files as it may have, and stops"]);
  });

  test.each([
    ["nothing", []],
    ["a file of something else", ["hello"]],
    [
      "half a file",
      [
        '{"recording":1,"method":"GET","path":"/x","headers":{}}\n{"status":200,"headers":{}}\n{"nonsense":1}\n{"end":"complete"}',
      ],
    ],
  ])("with %s is not replayed", async (_name, contents) => {
    const folder = mkdtempSync(join(tmpdir(), "moonbridge-record-"));
    for (const content of contents) writeFileSync(join(folder, "000001.jsonl"), content);
    await expect(startSimulator({ replay: folder })).rejects.toThrow(/nothing recorded|not of the form/);
  });
});

test("any token opens a replay, and each login gets tokens anew", async () => {
  const { gateway, folder } = await recording({});
  await post(gateway, asking("sim:say=recorded"));
  await gateway.stop();
  const foreign = await startSimulator();
  const tokens = { ...foreign.issue({ accessSeconds: 0 }) };
  await foreign.close();
  const replay = await startGateway({ simulator: { replay: folder }, tokens: () => tokens });
  const answer = JSON.parse(await (await post(replay, asking("hello"))).text());
  expect(answer.choices[0].message.content).toBe("xxxxxxxx");
  expect(replay.simulator.calls.some(({ path }) => path.endsWith("/RefreshToken"))).toBe(true);
  // The last answer serves as long as it is asked for.
  expect((await post(replay, asking("again"))).status).toBe(200);
});

function unescaped(text: string): string {
  return text.replace(/\\u([0-9a-f]{4})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
