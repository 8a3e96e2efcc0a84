import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Simulator, type Step, startSimulator, type Turn } from "../../simulator/index.js";
import { chatRequest, type Frame, parseJson, sendChat, trailerOf, turnIds } from "./client.js";

/** The lines of kimi-web.md §5, verbatim. */
const fixture = readFileSync(new URL("fixtures/transcripts.txt", import.meta.url), "utf8");

type TranscriptLine = { flags: number; length: number; payload: string };

function parseTranscript(section: string): { request: TranscriptLine; response: TranscriptLine[] } {
  const sectionText = fixture.split(/^# /m).find((part) => part.startsWith(`${section} `)) ?? "";
  const lines = Array.from(
    sectionText.matchAll(/^((?:[0-9a-f]{2} ){4}[0-9a-f]{2}) {2}(.*)$/gm),
    ([, headerHex, payload]) => {
      const bytes = Buffer.from((headerHex ?? "").replaceAll(" ", ""), "hex");
      // Citation marks are escaped in the document but counted unescaped.
      const unescapedPayload = (payload ?? "").replace(/\\u(e3a[038])/g, (_, code: string) =>
        String.fromCharCode(Number.parseInt(code, 16)),
      );
      return { flags: bytes.readUInt8(0), length: bytes.readUInt32BE(1), payload: unescapedPayload };
    },
  );
  const [request, ...response] = lines;
  if (!request) throw new Error(`no transcript ${section}`);
  return { request, response };
}

/**
 * Frames in a form to compare: without ids, times and Connect's empty detail value, which the transcripts omit, and
 * numbered anew. Left out are heartbeats, which may come at any time (5.3 and 5.7 show fewer of them), and the empty system
 * message of a new chat (kimi-web.md §6 row 15); the list of tools in `lastRequest` is left out when empty, as in proto JSON (kimi-web.md §5.1).
 */
function normalise(frames: readonly (TranscriptLine | Frame)[]): string[] {
  const compared = frames.filter(
    ({ payload }) => !/^{"eventOffset":\d+,"heartbeat"|"role":"system"/.test(payload),
  );
  let offset = 0;
  return compared.map(({ flags, payload }) => {
    const text = payload
      .replace(/"eventOffset":\d+/, () => `"eventOffset":${++offset}`)
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>")
      .replace(
        /\d{4}-\d\d-\d\dT[\d:]{8}\.(\d+)Z/g,
        (_, fraction: string) => `<time with ${fraction.length} digits>`,
      )
      .replace('"value":"",', "")
      .replace('"tools":[],', "");
    return `${flags} ${text}`;
  });
}

const searchStep: Step = {
  do: "search",
  queries: ["kimi k3"],
  sources: [
    {
      title: "Example page",
      url: "https://example.org/k3",
      snippet: "About K3",
      publishTime: "2026-11-01T00:00:00Z",
    },
  ],
};

const scripts: Record<string, Step[]> = {
  "Say hi": [{ do: "text", content: ["Hi", " there", "!"] }, { do: "name" }],
  "2+2?": [
    { do: "think", content: ["Simple", " sum."] },
    { do: "text", content: ["4"] },
  ],
  "What is Kimi K3?": [
    searchStep,
    { do: "text", content: ["K3 is a model ", "\ue3a0cite\ue3a3web_search:1#0\ue3a8", "."] },
  ],
  Shorter: [{ do: "text", content: ["Hi"] }],
  "(disallowed)": [{ do: "text", content: ["I can", "not", " answer."] }],
};

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ script: ({ text }: Turn) => scripts[text] });
});
afterAll(() => simulator.close());

test.each(["5.1", "5.2", "5.3", "5.4", "5.6", "5.7"])(
  "the frame lengths of transcript %s match its payloads",
  (section) => {
    const { request, response } = parseTranscript(section);
    for (const { length, payload } of [request, ...response]) expect(Buffer.byteLength(payload)).toBe(length);
  },
);

test.each(["5.1", "5.2", "5.3"])("the answer to the request of %s has the same frames", async (section) => {
  const { request, response } = parseTranscript(section);
  const { accessToken } = simulator.issue();
  const frames = await sendChat(simulator, accessToken, parseJson(request.payload));
  expect(normalise(frames)).toEqual(normalise(response));
});

test("the next turn of 5.4 opens with chat.lastRequest and has the previous answer as its parent", async () => {
  const { request, response } = parseTranscript("5.4");
  const { accessToken } = simulator.issue();
  const first = turnIds(await sendChat(simulator, accessToken, chatRequest("Say hi")));
  const payload = request.payload
    .replace("1a9f3c40-a112-8101-8000-09d0c0ffee01", first.chat)
    .replace("1a9f3c40-a112-8103-8000-0ad0c0ffee03", first.assistant);
  const frames = await sendChat(simulator, accessToken, parseJson(payload));
  expect(normalise(frames)).toEqual(normalise(response));
  expect(frames[2]?.json.message).toMatchObject({ role: "user", parentId: first.assistant });
});

test("the error trailer of 5.6 comes after done", async () => {
  const { request, response } = parseTranscript("5.6");
  const { accessToken } = simulator.issue();
  simulator.fault({
    kind: "error",
    code: "resource_exhausted",
    reason: "REASON_SERVER_OVERLOADED_FOR_FREE_USER",
    afterDone: true,
  });
  const frames = await sendChat(simulator, accessToken, parseJson(request.payload));
  expect(normalise(frames)).toEqual(normalise(response));
  expect(trailerOf(frames)).toMatchObject({ error: { code: "resource_exhausted" } });
});

test("the withdrawn answer of 5.7 ends with status ERROR and a trailer without error", async () => {
  const { request, response } = parseTranscript("5.7");
  const { accessToken } = simulator.issue();
  simulator.fault({ kind: "retract" });
  const frames = await sendChat(simulator, accessToken, parseJson(request.payload));
  expect(normalise(frames)).toEqual(normalise(response));
});
