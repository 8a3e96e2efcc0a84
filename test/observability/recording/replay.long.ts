import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Fault, startSimulator } from "../../../simulator/index.js";
import { Recorder, type RecorderOptions } from "../../../src/observability/recording/recorder.js";
import { Dialogue } from "../../conversations/dialogue.js";
import {
  chatBody,
  contentOf,
  type Gateway,
  type GatewayOptions,
  parseChunks,
  postChat,
  startGateway,
} from "../../gateway.js";
import { kinds } from "../../upstreams/kimi-sides.js";

type RecordingGateway = { gateway: Gateway; folder: string; warnings: string[] };

/** Starts a gateway that records its calls to Kimi. */
async function startRecording(
  options: GatewayOptions,
  recorderOptions: Partial<RecorderOptions> = {},
): Promise<RecordingGateway> {
  const folder = join(mkdtempSync(join(tmpdir(), "moonbridge-record-")), "deep", "recording");
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  const recorder = await Recorder.open(folder, { keepTexts: false, warn, ...recorderOptions });
  return { gateway: await startGateway({ ...options, recorder }), folder, warnings };
}

/** Starts a gateway on a simulator that replays the recording. */
function startReplay(folder: string, options: GatewayOptions): Promise<Gateway> {
  return startGateway({ ...options, simulator: { replay: folder } });
}

type Line = Record<string, unknown>;

/** The lines of each file of a recording. */
function readRecording(folder: string): Line[][] {
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), "utf8").trimEnd().split("\n"))
    .map((lines) => lines.map((line) => JSON.parse(line)));
}

const document = { filename: "CANARY-report.pdf", file_data: "data:application/pdf;base64,JVBERi0xLjQ=" };
const picture = {
  url: "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=",
};

/** Chats with search, files, pictures and faults; returns the responses. */
async function runSession(gateway: Gateway): Promise<string[]> {
  const responses: string[] = [];
  const send = async (body: unknown) => {
    const response = await postChat(gateway, body);
    responses.push(`${response.status} ${normalize(await response.text())}`);
  };
  await send(chatBody("a CANARY prompt", { stream: true }));
  await send(chatBody("CANARY sim:think sim:repeat=12", { stream: true, reasoning_effort: "high" }));
  await send(chatBody("CANARY sim:search", { stream: true }));
  await send(chatBody("CANARY sim:search 天气"));
  const dialogue = new Dialogue(gateway);
  responses.push(await dialogue.send("CANARY apples"), await dialogue.send("CANARY pears"));
  await send(chatBody("CANARY sim:fault=garbage,2"));
  await send(chatBody("CANARY sim:fault=retract,2"));
  for (const part of [
    { type: "file", file: document },
    { type: "image_url", image_url: picture },
  ])
    await send({
      model: "kimi",
      messages: [{ role: "user", content: [{ type: "text", text: "CANARY" }, part] }],
    });
  await send(chatBody("CANARY sim:unicode", { stream: true }));
  return responses;
}

/** Without the ids and times that are different in every answer. */
function normalize(body: string): string {
  return body
    .replace(/"(id|conversation_id)":"[^"]*"/g, '"$1":"…"')
    .replace(/"created":\d+/g, '"created":0')
    .replace(/\(reference: req_\w+\)/g, "");
}

describe.each(kinds)("a recording over %s", (kind) => {
  test("with texts is replayed byte for byte", async () => {
    const { gateway, folder, warnings } = await startRecording({ kind }, { keepTexts: true });
    const responses = await runSession(gateway);
    gateway.simulator.expireAccessTokens();
    responses.push(...(await runSession(gateway)));
    await gateway.stop();
    expect(warnings).toEqual([]);
    const all = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("");
    expect(all).toContain("CANARY apples");
    for (const secret of [/eyJ/, /CANARY-report/, /CANARYnick/]) expect(all).not.toMatch(secret);

    const replay = await startReplay(folder, { kind });
    expect([...(await runSession(replay)), ...(await runSession(replay))]).toEqual(responses);
  });

  test("without texts contains nothing of prompts, answers, files and the account", async () => {
    const tokens: string[] = [];
    const { gateway, folder } = await startRecording({
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
    await runSession(gateway);
    await postChat(gateway, chatBody(`CANARY answer ${tokens[0]}`));
    await gateway.stop();
    const bytes = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    const all = bytes.join("\n");
    expect(bytes.length).toBeGreaterThan(10);
    const spellings = [
      all,
      decodeURIComponent(all.replace(/%(?![0-9a-f]{2})/gi, "%25")),
      decodeEscapes(all),
      all.replace(/\W/g, ""),
    ];
    for (const spelling of spellings) {
      expect(spelling).not.toMatch(/canary|Q0FOQVJZ|NBTkFSW|DQU5BUl/i);
      expect(spelling).not.toMatch(/eyJ/);
    }
    for (const token of tokens) for (const part of token.split(".")) expect(all).not.toContain(part);
    expect(all).not.toContain(Buffer.from(document.filename).toString("base64").slice(0, 12));
  });

  test("without texts is replayed as complete answers of the same length", async () => {
    const { gateway, folder } = await startRecording({ kind });
    const prompts = ["sim:repeat=12", "sim:think sim:search 你好", "sim:unicode"];
    const originals: string[] = [];
    for (const prompt of prompts)
      originals.push(await (await postChat(gateway, chatBody(prompt, { stream: true }))).text());
    await gateway.stop();

    const replay = await startReplay(folder, { kind });
    for (const original of originals) {
      const again = parseChunks(
        await (await postChat(replay, chatBody("anything", { stream: true }))).text(),
      );
      const before = parseChunks(original);
      expect(contentOf(again).length).toBe(contentOf(before).length);
      expect(again.at(-1)?.choices[0]?.finish_reason).toBe("stop");
    }
    const [counted = []] = readRecording(folder).filter(([head]) => /Chat$|stream$/.test(String(head?.path)));
    expect(
      counted.filter((line) => /^\{"(flags|data)".*("block.text|"cmpl")/.test(JSON.stringify(line))).length,
    ).toBe(12);
  });

  test("with protocol drift is replayed with the same drift", async () => {
    const { gateway, folder } = await startRecording({ kind });
    gateway.simulator.fault({ kind: "unknown" });
    await postChat(gateway, chatBody("sim:repeat=12"));
    await gateway.stop();
    const drift = gateway.drift.entries();
    expect(drift.length).toBeGreaterThan(3);
    if (kind === "kimi-web") expect(drift).toContainEqual({ kind: "block", name: "hologram", count: 1 });

    const replay = await startReplay(folder, { kind });
    await postChat(replay, chatBody("what is new?"));
    expect(replay.drift.entries()).toEqual(drift);
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

  test.each(faults)(
    "with the fault $kind is replayed with the same responses",
    { timeout: 20_000 },
    async (fault) => {
      // Short timeouts only for a stall, so that on a busy machine no other fault is taken for one.
      const timeout = fault.kind === "stall" ? 300 : 15_000;
      const timeouts = { idle: timeout, progress: timeout };
      const send = async (gateway: Gateway, stream: boolean) => {
        const response = await postChat(gateway, chatBody("sim:repeat=6", { stream }));
        return [response.status, response.headers.get("retry-after"), normalize(await response.text())];
      };
      const { gateway, folder, warnings } = await startRecording({ kind, timeouts }, { keepTexts: true });
      // After a 429 or a 503 the account is not used for a while.
      const streamModes = fault.kind === "http" ? [true] : [false, true, true];
      const sendAll = async (gateway: Gateway) => {
        const answers: Awaited<ReturnType<typeof send>>[] = [];
        for (const stream of streamModes) answers.push(await send(gateway, stream));
        return answers;
      };
      gateway.simulator.fault(fault, 2);
      const first = await sendAll(gateway);
      await gateway.stop();
      expect(warnings).toEqual([]);
      const replay = await startReplay(folder, { kind, timeouts });
      const again = await sendAll(replay);
      // Where Moonbridge gave up, the recording has only a closed connection.
      if (fault.kind === "stall" || fault.kind === "huge") {
        expect(again.map(([status]) => (status === 200 ? 200 : 5))).toEqual(
          first.map(([status]) => (status === 200 ? 200 : 5)),
        );
      } else expect(again).toEqual(first);
    },
  );
});

describe("the folder of a recording", () => {
  test("is readable only by its owner, and a later recording continues the numbers of the first", async () => {
    const first = await startRecording({});
    await postChat(first.gateway, chatBody("one"));
    await first.gateway.stop();
    expect(statSync(first.folder).mode & 0o777).toBe(0o700);
    const names = readdirSync(first.folder);
    expect(names).toEqual(["000001.jsonl", "000002.jsonl"]);
    for (const name of names) expect(statSync(join(first.folder, name)).mode & 0o777).toBe(0o600);

    const recorder = await Recorder.open(first.folder, { keepTexts: false, warn: () => {} });
    const second = await startGateway({ recorder });
    await postChat(second, chatBody("two"));
    await second.stop();
    expect(readdirSync(first.folder).sort().at(-1)).toBe("000004.jsonl");
    const chats = readRecording(first.folder).flatMap(
      (lines) => /"mask":"chat",.*?"id":"(.*?)"/.exec(JSON.stringify(lines))?.[1] ?? [],
    );
    expect(new Set(chats).size).toBe(2);
  });

  test("can disappear, which ends the recording with one warning, and no answer", async () => {
    const { gateway, folder, warnings } = await startRecording({});
    rmSync(folder, { recursive: true });
    for (let turn = 0; turn < 3; turn++)
      expect((await postChat(gateway, chatBody("hello"))).status).toBe(200);
    await gateway.stop();
    expect(warnings).toEqual(["The recording cannot be written, and stops"]);
  });

  test("is limited in size and in files, which ends the recording with one warning", async () => {
    const { gateway, folder, warnings } = await startRecording({}, { maxBytes: 9_000 });
    for (let turn = 0; turn < 3; turn++)
      expect((await postChat(gateway, chatBody("sim:repeat=40"))).status).toBe(200);
    await gateway.stop();
    expect(warnings).toEqual(["The recording is as large as it may become, and stops"]);
    expect(readRecording(folder).map((lines) => lines.at(-1))).toEqual([{ end: "complete" }]);

    writeFileSync(join(folder, "010000.jsonl"), "");
    const laterWarnings: string[] = [];
    const recorder = await Recorder.open(folder, {
      keepTexts: false,
      warn: (message) => laterWarnings.push(message),
    });
    const next = await startGateway({ recorder });
    for (let turn = 0; turn < 3; turn++) expect((await postChat(next, chatBody("hello"))).status).toBe(200);
    await next.stop();
    expect(laterWarnings).toEqual(["The recording has as many files as it may have, and stops"]);
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
  ])("is not replayed if it has %s", async (_name, contents) => {
    const folder = mkdtempSync(join(tmpdir(), "moonbridge-record-"));
    for (const content of contents) writeFileSync(join(folder, "000001.jsonl"), content);
    await expect(startSimulator({ replay: folder })).rejects.toThrow(/nothing recorded|not of the form/);
  });
});

test("a replay accepts any token, and refreshes every token pair", async () => {
  const { gateway, folder } = await startRecording({});
  await postChat(gateway, chatBody("sim:say=recorded"));
  await gateway.stop();
  const otherSimulator = await startSimulator();
  const tokens = { ...otherSimulator.issue({ accessSeconds: 0 }) };
  await otherSimulator.close();
  const replay = await startGateway({ simulator: { replay: folder }, tokens: () => tokens });
  const answer = JSON.parse(await (await postChat(replay, chatBody("hello"))).text());
  expect(answer.choices[0].message.content).toBe("xxxxxxxx");
  expect(replay.simulator.calls.some(({ path }) => path.endsWith("/RefreshToken"))).toBe(true);
  // The last recorded answer is replayed for all further requests.
  expect((await postChat(replay, chatBody("again"))).status).toBe(200);
});

/** Decodes JSON's Unicode escapes. */
function decodeEscapes(text: string): string {
  return text.replace(/\\u([0-9a-f]{4})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
