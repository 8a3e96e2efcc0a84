import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseRecordedCall } from "../../../simulator/recorded-call.js";
import { EnvelopeDecoder } from "../../../src/upstreams/kimi-web/envelope.js";
import { sentTurns } from "../../conversations/dialogue.js";
import { chatBody, type Gateway, parseChunks, postChat, startGateway } from "../../gateway.js";
import { type FormAnswer, type FrameForm, frameForms, nextText, readForm, readIds } from "./frame-forms.js";

const nextTurn = readForm("next-turn");
const nextTurnParent = "1a9f3c40-a112-8103-8000-0ad0c0ffee03";

/** Starts a gateway on a simulator that replays the form, then the second turn in the same chat. */
function startReplay(form: FrameForm): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), "moonbridge-form-"));
  const recording = readForm(form.name);
  const { chat, answer } = readIds(recording);
  const { chat: nextChat } = readIds(nextTurn);
  const second = nextTurn
    .replaceAll(nextChat ?? "", chat ?? nextChat ?? "")
    .replaceAll(nextTurnParent, answer ?? nextTurnParent);
  writeFileSync(join(folder, "1.jsonl"), recording);
  writeFileSync(join(folder, "2.jsonl"), second);
  return startGateway({ simulator: { replay: folder } });
}

type Annotation = { url_citation: { url: string; start_index: number } };
type Message = { content?: string; reasoning_content?: string; annotations?: Annotation[] };
type Ending = { finish?: string; notices?: { code: string }[] };

/** What the client got, in the form of the table. */
async function readAnswer(response: Response, stream: boolean): Promise<FormAnswer> {
  const body = await response.text();
  if (response.status !== 200) return { error: JSON.parse(body).error.code };
  if (!stream) {
    const { choices, moonbridge_notices } = JSON.parse(body);
    return toAnswer(choices[0].message, { finish: choices[0].finish_reason, notices: moonbridge_notices });
  }
  const chunks = parseChunks(body);
  const error = chunks.at(-1)?.error;
  if (error) return { error: error.code };
  const deltas: Message[] = chunks.map(({ choices }) => choices[0]?.delta ?? {});
  const last = JSON.parse(JSON.stringify(chunks.at(-1)));
  const message = {
    content: deltas.map(({ content = "" }) => content).join(""),
    reasoning_content: deltas.map(({ reasoning_content = "" }) => reasoning_content).join(""),
    annotations: deltas.flatMap(({ annotations = [] }) => annotations),
  };
  return toAnswer(message, { finish: last.choices[0].finish_reason, notices: last.moonbridge_notices });
}

function toAnswer(
  { content = "", reasoning_content = "", annotations = [] }: Message,
  { finish = "", notices = [] }: Ending,
): FormAnswer {
  return {
    text: content,
    reasoning: reasoning_content,
    finish,
    cites: annotations.map(({ url_citation: { url, start_index } }) => [start_index, url]),
    notices: notices.map(({ code }) => code),
  };
}

/** The expected answer with its defaults. */
function complete(answer: FormAnswer): FormAnswer {
  return "error" in answer ? answer : { reasoning: "", finish: "stop", cites: [], notices: [], ...answer };
}

/** Whether the next turn goes on after the answer. */
function continues(answer: FormAnswer): boolean {
  return !("error" in answer) && answer.finish !== "content_filter";
}

async function checkForm(form: FrameForm, stream: boolean): Promise<void> {
  const expected = complete(stream ? form.answer : (form.whole ?? form.answer));
  const gateway = await startReplay(form);
  // The bytes of a whole answer come in pieces.
  if (!stream) gateway.simulator.fault({ kind: "split", bytes: 37 });
  const answer = await readAnswer(await postChat(gateway, chatBody("hello", { stream })), stream);
  expect(answer).toEqual(expected);
  const drift = gateway.drift.entries().map(({ kind, name }) => `${kind} ${name}`);
  expect(drift.sort()).toEqual((form.drift ?? []).toSorted());
  if (form.next === "not sent") return;
  const history = [
    ...chatBody("hello").messages,
    { role: "assistant", content: "text" in answer ? answer.text : "" },
    { role: "user", content: "and now?" },
  ];
  const next = await readAnswer(await postChat(gateway, { model: "kimi", messages: history }), false);
  const sent = sentTurns(gateway).at(-1);
  const ids = readIds(readForm(form.name));
  const place = continues(answer) ? ids : { chat: undefined, answer: undefined };
  expect({ chat: sent?.chatId, answer: sent?.parentId }).toEqual(place);
  // After a refusal of the account it is not asked for a while.
  if (!("error" in answer)) expect(next).toMatchObject({ text: nextText, finish: "stop" });
}

describe.each(frameForms)("$name ($source, $grade)", (form) => {
  test("streamed, and the next turn", () => checkForm(form, true));

  test("whole, and the next turn", () => checkForm(form, false));

  test("is read the same when it is split at any byte", () => {
    const call = parseRecordedCall(readForm(form.name));
    const bytes = Buffer.concat(call?.response.body ?? []);
    const whole = decode([bytes]);
    expect(whole.length).toBe(call?.response.body.length);
    for (let at = 1; at < bytes.length; at++)
      if (!isSame(decode([bytes.subarray(0, at), bytes.subarray(at)]), whole)) throw new Error(`at ${at}`);
  });
});

test("each recording is in the table", () => {
  const files = readdirSync(new URL("../../fixtures/frame-forms", import.meta.url));
  const names = files.map((file) => file.replace(/\.jsonl$/, ""));
  expect(names.sort()).toEqual([...frameForms.map(({ name }) => name), "next-turn"].sort());
});

/** The envelopes of a stream that comes in these chunks. */
function decode(chunks: Buffer[]): Buffer[] {
  const decoder = new EnvelopeDecoder(1_000_000);
  const payloads: Buffer[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let next = decoder.next(); next; next = decoder.next())
      payloads.push(Buffer.from(next.bytes.subarray(next.start, next.end)));
  }
  return payloads;
}

function isSame(one: Buffer[], other: Buffer[]): boolean {
  return one.length === other.length && one.every((payload, index) => other[index]?.equals(payload));
}
