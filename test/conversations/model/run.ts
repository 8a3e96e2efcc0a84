import type { Capability } from "../../../simulator/index.js";
import type { KimiKind } from "../../gateway.js";
import { clientKinds } from "./client-kinds.js";
import { Conversation, type PlannedTurn } from "./conversation.js";
import { type GatewaySet, type GatewaySettings, Gateways } from "./gateways.js";
import { type KimiCall, KimiCalls } from "./kimi-calls.js";
import { Random } from "./random.js";
import { isRareLong } from "./texts.js";
import { type FinishedTurn, Verdict } from "./verdict.js";
import { wordsOf } from "./words.js";

export type RunOptions = {
  kind: KimiKind;
  turns: number;
  seed: number;
  /** Conversations that are open at a time. */
  conversations: number;
  /** How often the second gateway is killed. */
  kills: number;
  /** How often the store is trimmed. */
  trims: number;
  logLevel: string;
  /** What this Kimi does not do. */
  without?: readonly Capability[];
  /** The URL of the Redis that three gateways share; default two gateways with a database. */
  redis?: string;
};

type StartGateways = (kind: KimiKind, calls: KimiCalls, settings: GatewaySettings) => Promise<GatewaySet>;

/** Of the turns, those that go to another gateway than the first, for each of them. */
const shareOfEach = 0.35;
/** Requests that are sent at a time, each of another conversation. */
const roundSize = 16;

/**
 * Drives gateways with one store through rounds of concurrent turns of many conversations. The same seed plans the
 * same rounds; only what happens at a time within a round varies.
 */
export async function runModel(options: RunOptions, start: StartGateways = Gateways.start): Promise<Verdict> {
  const { kind, turns, seed, logLevel, without = [], redis } = options;
  const calls = new KimiCalls();
  // Where older answers are no parents, chats are lines, as those of the legacy protocol.
  const isLine = without.some((name) => name.startsWith("old-parent"));
  const verdict = new Verdict(isLine ? "kimi-legacy" : kind, calls, {
    mayMisplace: without.includes("old-parent"),
  });
  const gateways = await start(kind, calls, { logLevel, without, redis });
  const random = new Random(seed);
  const counters = { owners: 0, entries: 0 };
  const open = () =>
    new Conversation(random.pickWeighted(clientKinds), {
      random: new Random(random.integer(0, 2 ** 32 - 1)),
      counters,
      assistants: Math.ceil(options.conversations / 8),
    });
  const conversations = Array.from({ length: options.conversations }, open);
  const rounds = Math.ceil(turns / roundSize);
  const killsEvery = Math.ceil(rounds / (options.kills + 1));
  const trimsEvery = Math.ceil(rounds / (options.trims + 1));
  try {
    for (let round = 1; round <= rounds; round++) {
      const chosen = pickDistinct(conversations, roundSize, random);
      const planned = chosen.map((conversation) => conversation.plan());
      const isKilled = round % killsEvery === 0;
      const finished = planned.map((turn) => ({
        turn,
        gateway: pickGateway(gateways.count, random),
        isLiving: verdict.isLiving(turn, round),
      }));
      const killing = isKilled ? killSoon(gateways, random.integer(2, 25)) : undefined;
      const outcomes = await Promise.all(finished.map(({ turn, gateway }) => gateways.send(turn, gateway)));
      await killing;
      const results = finished.map((each, index): FinishedTurn => {
        const outcome = outcomes[index] ?? { type: "disconnected" };
        const call = outcome.type === "answered" ? outcome.call : undefined;
        return { ...each, outcome, calls: call ? [call] : [], round };
      });
      const stray = assign(calls, results);
      for (const result of results) recordUse(calls, result, isKilled);
      for (const result of results) verdict.judge(result);
      verdict.judgeStray(stray);
      for (const { turn, outcome } of results) turn.conversation.absorb(turn, outcome);
      for (const [index, conversation] of conversations.entries())
        if (conversation.isOver) conversations[index] = open();
      if (isKilled) await gateways.startChild();
      if (round % trimsEvery === 0) await gateways.trimStore(options.conversations);
      await loseSomeChats(gateways, results, random);
    }
  } finally {
    await gateways.close();
  }
  return verdict;
}

/**
 * Deletes a chat on Kimi's side and lets another one expire: preferably that of a window whose last answer a few others
 * got too, so that it must not be continued in one of theirs, else one whose last question others asked too.
 */
async function loseSomeChats(
  gateways: GatewaySet,
  results: readonly FinishedTurn[],
  random: Random,
): Promise<void> {
  const isRareWindow = ({ turn: { conversation, question }, calls }: FinishedTurn) =>
    calls.length > 0 && typeof conversation.kind.history === "number" && isRareLong(question.text);
  const isCommon = ({ turn, calls }: FinishedTurn) =>
    calls.length > 0 && wordsOf(turn.question.text).length === 0;
  const deleted = results[0]?.calls[0]?.chatId;
  const rareWindow = results.find(isRareWindow);
  const expired = (rareWindow ?? results.find(isCommon) ?? results[1])?.calls[0]?.chatId;
  if (deleted !== undefined && random.chance(0.1)) await gateways.deleteOnKimi(deleted);
  if (expired !== undefined && expired !== deleted && random.chance(rareWindow ? 0.6 : 0.3))
    await gateways.expire(expired);
}

function pickGateway(count: number, random: Random): number {
  if (!random.chance(shareOfEach * (count - 1))) return 0;
  return count === 2 ? 1 : random.integer(1, count - 1);
}

function pickDistinct<T>(items: readonly T[], count: number, random: Random): T[] {
  const chosen = new Set<T>();
  while (chosen.size < Math.min(count, items.length)) chosen.add(random.pick(items));
  return [...chosen];
}

async function killSoon(gateways: GatewaySet, milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  await gateways.killChild();
}

/**
 * Adds calls without an answer to the turn that has asked; returns those for which there is none. Of several turns with the
 * same question, it is that of the conversation that used the chat before.
 */
function assign(calls: KimiCalls, results: readonly FinishedTurn[]): KimiCall[] {
  return calls.takeUnclaimed().filter((call) => {
    const { users } = calls.chat(call.chatId);
    const asking = results.filter(({ turn }) => lastLine(turn) === call.question);
    const own = asking.find(({ turn }) => wordsOf(turn.question.text).some((word) => call.words.has(word)));
    const waiting = asking.filter((candidate) => candidate.calls.length === 0);
    const known = waiting.find(({ turn }) => users.has(turn.conversation.number));
    const result = own ?? known ?? waiting[0] ?? asking[0];
    result?.calls.push(call);
    return !result;
  });
}

function lastLine({ question }: PlannedTurn): string {
  return question.text.trimEnd().split("\n").at(-1) ?? "";
}

/** Notes who used the chats, and those that a kill, an abort or a cut has left in doubt. */
function recordUse(
  calls: KimiCalls,
  { turn, outcome, calls: own, gateway, round }: FinishedTurn,
  isKilled: boolean,
) {
  for (const { chatId } of own) calls.chat(chatId).users.set(turn.conversation.number, round);
  if (outcome.type !== "answered") turn.conversation.disturbedAt = round;
  if (!isKilled || gateway !== 1) return;
  const node = turn.lastAnswer?.node;
  for (const chatId of [...own.map((call) => call.chatId), ...(node ? [node.call.chatId] : [])])
    calls.chat(chatId).isLost = true;
}
