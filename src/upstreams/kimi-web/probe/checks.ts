import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { RejectedAnswerError } from "../../../chat/tools/rejected-answer.js";
import { ToolTransform } from "../../../chat/tools/tool-transform.js";
import { mergeTranscript } from "../../../chat/transcript.js";
import type { CapabilityFlag, CapabilityName } from "../../../core/capabilities.js";
import { GatewayError } from "../../../core/errors.js";
import { limits } from "../../../core/limits.js";
import { textOf } from "../../../core/message-content.js";
import type { ChatRequest, UpstreamRequest } from "../../../core/types.js";
import { asObject, asText, objectsIn } from "../../../lib/json.js";
import { statusName } from "../enums.js";
import type { KimiModel } from "../models.js";
import type { KimiCalls } from "../upstream.js";
import type { ProbeAnswer, ProbeChats } from "./probe-chats.js";

type CheckContext = {
  chats: ProbeChats;
  calls: KimiCalls;
  /** Rejects when the check takes too long. */
  signal: AbortSignal;
};

/** What a check has found out; what it leaves out is not known. */
type Found = [name: CapabilityName, value: boolean | number];

/** Some capabilities that are measured together, with the messages that it sends. */
export type Check = {
  names: readonly CapabilityName[];
  messages: number;
  run(context: CheckContext): AsyncGenerator<Found>;
};

/** All checks, the cheapest first. */
export const checks: readonly Check[] = [
  { names: ["legacy-endpoints"], messages: 0, run: checkLegacyEndpoints },
  {
    names: ["echo-text", "old-parent", "chat-without-parent", "busy-seconds", "cancelled-parent"],
    messages: 6,
    run: checkChat,
  },
  { names: ["readable-after-cut"], messages: 1, run: checkCut },
  { names: ["system-prompt"], messages: 1, run: checkSystemPrompt },
  { names: ["declared-tools"], messages: 1, run: checkDeclaredTools },
  { names: ["tool-calls"], messages: 1, run: (context) => checkToolCalls(context, "tool-calls", false) },
  {
    names: ["tool-calls-thinking"],
    messages: 1,
    run: (context) => checkToolCalls(context, "tool-calls-thinking", true),
  },
  { names: ["tool-blocks"], messages: 1, run: checkToolBlocks },
  { names: ["long-prompt"], messages: 1, run: checkLongPrompt },
];

/** A word that no answer has by chance. */
const newWord = () => `moon${randomBytes(4).toString("hex")}`;

async function* checkLegacyEndpoints({ calls, signal }: CheckContext): AsyncGenerator<Found> {
  try {
    yield ["legacy-endpoints", await isTaken(calls.getLegacy("/api/user", signal))];
  } catch (error) {
    if (!(error instanceof GatewayError && error.code === "account_login_required")) throw error;
    yield ["legacy-endpoints", false];
  }
}

/** Remembers two words in a chat, goes back to the first, and goes on after a cancelled answer. */
async function* checkChat({ chats, signal }: CheckContext): AsyncGenerator<Found> {
  const [first, second] = [newWord(), newWord()];
  const text = `Please remember this word:  ${first}\n\n(Answer with OK only.) 👍🏽 `;
  const opened = await chats.send({ text }, signal);
  if (opened.echo) yield ["echo-text", opened.echo.text === text];
  const { chat } = opened;
  const next = `Please remember this word, too: ${second}. Answer with OK only.`;
  const continued = await chats.send({ chat, parent: opened.message, text: next }, signal);
  const question = "Which words have I asked you to remember? Answer with the words only.";
  const branch = await taken(chats.send({ chat, parent: opened.message, text: question }, signal));
  const parent = branch?.echo?.parent;
  if (!branch) yield ["old-parent", false];
  else if (parent !== undefined)
    yield ["old-parent", parent === opened.message && !branch.text.includes(second)];
  const newest = (branch ?? continued).message;
  const unplaced = await taken(chats.send({ chat, text: "Answer with OK only." }, signal));
  if (!unplaced) yield ["chat-without-parent", false];
  else if (unplaced.echo?.parent !== undefined)
    yield ["chat-without-parent", unplaced.echo.parent === newest];
  const end = unplaced?.message ?? newest;
  const count = "Count from 1 to 300, one number on each line.";
  const stopped = await chats.send({ chat, parent: end, text: count, stop: "cancel" }, signal);
  if (!stopped.isComplete) yield* checkCancelled(stopped, { chats, signal });
}

/** Sends a message after the cancelled answer until its chat is free. */
async function* checkCancelled(
  { chat, message }: ProbeAnswer,
  { chats, signal }: Pick<CheckContext, "chats" | "signal">,
): AsyncGenerator<Found> {
  const startedAt = performance.now();
  const text = "Answer with OK only.";
  for (;;) {
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    try {
      const answer = await taken(chats.sendAtOnce({ chat, parent: message, text }, signal));
      yield ["busy-seconds", seconds];
      if (!answer) yield ["cancelled-parent", false];
      else if (answer.echo?.parent !== undefined) yield ["cancelled-parent", answer.echo.parent === message];
      return;
    } catch (error) {
      if (!(error instanceof GatewayError && error.code === "chat_busy")) throw error;
      if (seconds > limits.probeBusy / 1_000) return yield ["busy-seconds", seconds];
      await sleep(limits.probePoll, undefined, { signal });
    }
  }
}

/** Closes the connection in the middle of an answer, and reads it until it is final. */
async function* checkCut({ chats, calls, signal }: CheckContext): AsyncGenerator<Found> {
  const text = "Count from 1 to 60, one number on each line.";
  const cut = await chats.send({ text, stop: "cut" }, signal);
  if (cut.isComplete) return;
  const method = "kimi.gateway.chat.v1.ChatService/ListMessages";
  for (const end = Date.now() + limits.probeCut; Date.now() < end; ) {
    const listed = await taken(calls.call(method, { chat_id: cut.chat, page_size: 10 }, signal));
    const message = objectsIn(listed?.messages).find(({ id }) => asText(id) === cut.message);
    const status = statusName(message?.status);
    if (message && (status === "COMPLETED" || status === "TRUNCATED")) {
      const blocks = objectsIn(message.blocks).map((block) => asText(asObject(block.text)?.content) ?? "");
      const whole = blocks.join("");
      return yield ["readable-after-cut", whole.startsWith(cut.text) && whole.length > cut.text.length];
    }
    if (!message || status === "CANCELLED" || status === "ERROR") break;
    await sleep(limits.probePoll, undefined, { signal });
  }
  yield ["readable-after-cut", false];
}

async function* checkSystemPrompt({ chats, signal }: CheckContext): AsyncGenerator<Found> {
  const word = newWord();
  const systemPrompt = `End every answer with the word “${word}”.`;
  const answer = await taken(chats.send({ text: "Say hi.", systemPrompt }, signal));
  yield ["system-prompt", answer?.text.includes(word) ?? false];
}

async function* checkDeclaredTools({ chats, signal }: CheckContext): AsyncGenerator<Found> {
  const tools = [{ type: "TOOL_TYPE_DEVICE_TOOL", name: "get_weather" }];
  const answer = await taken(chats.send({ text: "Answer with OK only.", tools }, signal));
  yield ["declared-tools", answer !== undefined];
}

/** Tells the model of a function as every request does, and looks whether the answer calls it. */
async function* checkToolCalls(
  { chats, signal }: CheckContext,
  name: CapabilityFlag,
  thinking: boolean,
): AsyncGenerator<Found> {
  const model = await chats.model(signal);
  if (thinking && model.thinking.every((effort) => effort === "off")) return;
  const { transform, text } = tellOfWeather(model, signal);
  const { text: said } = await chats.send({ text, thinking }, signal);
  let isCalled = false;
  const sink = transform.events(
    (events) => {
      isCalled ||= events.some(({ type }) => type === "tool-call");
      return undefined;
    },
    { stopWithin: () => {} },
  );
  try {
    await sink([
      { type: "text", text: said },
      { type: "finish", reason: "stop" },
    ]);
  } catch (error) {
    if (!(error instanceof RejectedAnswerError)) throw error;
  }
  yield [name, isCalled];
}

function tellOfWeather(model: KimiModel, signal: AbortSignal): { transform: ToolTransform; text: string } {
  const messages: ChatRequest["messages"] = [
    { role: "user", content: [{ type: "text", text: "What is the weather in Paris? Use the function." }] },
  ];
  const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const request: ChatRequest = {
    ...{ model: model.id, messages, requestedFeatures: [], stream: true, usage: "none", signal },
    tools: [{ name: "get_weather", description: "The weather of a city.", parameters }],
    toolChoice: "required",
    principal: { keyName: "probe", scopes: [] },
  };
  const ignored = () => {};
  const observer = {
    ...{ onCall: ignored, onRepair: ignored, onCorrection: ignored },
    ...{ onMarkup: ignored, onDiscardedTail: ignored },
  };
  const transform = new ToolTransform(request, { maxOldResultCharacters: limits.promptText, observer });
  const sent: UpstreamRequest = { model, messages, search: false, thinking: undefined, stream: true };
  return { transform, text: textOf(mergeTranscript(transform.request(sent).messages).content) };
}

/** A search whose tool block is requested again. */
async function* checkToolBlocks({ chats, calls, signal }: CheckContext): AsyncGenerator<Found> {
  const text = "Search the web for the latest news about the Moon, and answer in one sentence.";
  const { chat, toolCallIds } = await chats.send({ text, search: true }, signal);
  const [toolCallId] = toolCallIds;
  if (toolCallId === undefined) return;
  const body = { chatId: chat, toolCallId };
  yield ["tool-blocks", await isTaken(calls.call("kimi.chat.v1.ChatService/GetToolBlock", body, signal))];
}

async function* checkLongPrompt({ chats, signal }: CheckContext): AsyncGenerator<Found> {
  const end = "\nAnswer with OK only.";
  const filler = "word ".repeat(limits.longPromptText / 5).slice(0, limits.longPromptText - end.length);
  try {
    await chats.send({ text: filler + end }, signal);
    yield ["long-prompt", true];
  } catch (error) {
    if (!(error instanceof GatewayError && error.code === "context_length_exceeded")) throw error;
    yield ["long-prompt", false];
  }
}

/** The result of a call; undefined if Kimi does not take its form, or does not know it. */
async function taken<Result>(call: Promise<Result>): Promise<Result | undefined> {
  try {
    return await call;
  } catch (error) {
    const code = error instanceof GatewayError ? error.upstreamCode : undefined;
    const refusals = ["invalid_argument", "failed_precondition", "not_found", "unimplemented"];
    if (code !== undefined && refusals.includes(code)) return undefined;
    if (error instanceof GatewayError && error.code === "not_found") return undefined;
    throw error;
  }
}

async function isTaken(call: Promise<unknown>): Promise<boolean> {
  return (await taken(call)) !== undefined;
}
