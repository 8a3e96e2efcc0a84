import type { KimiKind } from "../../gateway.js";
import type { ClientKind } from "./client-kinds.js";
import type { Node, Outcome, PlannedTurn } from "./conversation.js";
import type { KimiCall, KimiCalls } from "./kimi-calls.js";
import { ownerOf, wordsOf } from "./words.js";

/** What can be wrong with a turn. */
export type Violation =
  /** Kimi holds a word of another conversation. */
  | "foreign"
  /** Kimi holds a word that was edited, aborted or regenerated away. */
  | "stale"
  /** Kimi does not hold a word that the request contains. */
  | "missing"
  /** The client got another answer than Kimi gave, or that of another question. */
  | "wrong"
  /** The id of a living conversation: 404, or an answer that does not rest on it; or an answer without an id. */
  | "lost"
  /** A new chat, although the place of the last answer is alive and exact. */
  | "needless"
  /** A side request went into the chat of its conversation. */
  | "side"
  /** An error that nothing explains. */
  | "error";

const violations = ["foreign", "stale", "missing", "wrong", "lost", "needless", "side", "error"] as const;

type Row = Record<Violation | "turns" | "continued" | "new" | "living", number>;

/** A turn that was sent: what was known before it, and what came of it. */
export type FinishedTurn = {
  turn: PlannedTurn;
  outcome: Outcome;
  /** All calls to Kimi for it. */
  calls: KimiCall[];
  /** 0 is the gateway in this process, 1 the one that is killed. */
  gateway: number;
  /** Whether the place it goes on from was alive and exact when it was sent. */
  isLiving: boolean;
  round: number;
};

const maxTraces = 5;
/** Turns of one conversation in a trace. */
const maxLines = 8;
const maxRememberedTurns = 200_000;

/** Judges the turns, counts by client kind, and keeps what explains a violation. */
export class Verdict {
  readonly #kind: KimiKind;
  readonly #calls: KimiCalls;
  readonly #rows = new Map<ClientKind, Row>();
  readonly #traces: string[] = [];
  /** One line for each turn, by the owner that its conversation had. */
  readonly #lines = new Map<string, string[]>();
  readonly #errors = new Map<string, number>();
  #rememberedTurns = 0;
  /** Calls to Kimi that belong to no turn. */
  strayCalls = 0;
  /** Messages that Kimi put after another answer than it was told; nobody got their answers. */
  misplacedCalls = 0;
  readonly #mayMisplace: boolean;

  /** `mayMisplace`: whether this Kimi puts messages after other answers than it is told. */
  constructor(kind: KimiKind, calls: KimiCalls, { mayMisplace = false } = {}) {
    this.#kind = kind;
    this.#calls = calls;
    this.#mayMisplace = mayMisplace;
  }

  /** Whether a turn that goes on from the last answer must find its place alive and exact; call before it is sent. */
  isLiving(turn: PlannedTurn, round: number): boolean {
    const { conversation, base, lastAnswer, sent } = turn;
    const node = lastAnswer?.node;
    if (!node || node.model !== turn.model || conversation.hasChangedSystem) return false;
    if (conversation.hasHiddenPast) return false;
    const chat = this.#calls.chat(node.call.chatId);
    if (chat.isLost) return false;
    if (this.#kind === "kimi-legacy" && !this.#isOnlyEnd(node, conversation.nodes)) return false;
    // It may still be answering what was aborted a moment ago.
    if ([...chat.users].some(([user, used]) => user !== conversation.number && used >= round)) return false;
    if (conversation.disturbedAt >= round - 2) return false;
    // What others may have said as well has several places, and any of them may be chosen, a lost one too.
    if (!base.some(({ text }) => wordsOf(text).some((word) => conversation.owns(ownerOf(word)))))
      return false;
    const told = node.path.slice(-Math.max(1, sent.length || base.length));
    const known = (sent.length > 0 ? sent : base).map(({ id }) => id);
    return told.length === known.length && told.every((id, index) => id === known[index]);
  }

  judge(finished: FinishedTurn): void {
    const { turn, outcome, calls } = finished;
    const found = new Set<Violation>();
    const row = this.#rowOf(turn.conversation.kind);
    row.turns += 1;
    for (const each of calls)
      if (this.#isMisplaced(finished, each)) this.misplacedCalls += 1;
      else this.#judgeCall(finished, each, found);
    const call = outcome.type === "answered" ? outcome.call : undefined;
    if (outcome.type === "answered") {
      if (!call || call.question !== lastLine(turn.question.text) || call.answer !== outcome.text)
        found.add("wrong");
      if (call?.isNewChat) row.new += 1;
      else row.continued += 1;
      if (turn.action === "side") {
        if (call && turn.lastAnswer?.node?.call.chatId === call.chatId) found.add("side");
      } else if (outcome.id === undefined) found.add("lost");
    }
    if (turn.action !== "side") this.#judgePlace(finished, call, row, found);
    if (outcome.type === "failed" && !isExplained(finished)) {
      found.add("error");
      const name = `${outcome.status} ${outcome.code}`;
      this.#errors.set(name, (this.#errors.get(name) ?? 0) + 1);
    }
    for (const violation of found) row[violation] += 1;
    this.#remember(finished, [...found]);
  }

  /** Calls that belong to no turn: nobody knows what they are. */
  judgeStray(calls: readonly KimiCall[]): void {
    this.strayCalls += calls.length;
    for (const call of calls)
      this.#traces.push(`a call to Kimi that belongs to no turn: ${describeCall(call)}`);
  }

  total(violation: Violation): number {
    return sum([...this.#rows.values()].map((row) => row[violation]));
  }

  /** The needless new chats of the kinds with this bound, and the turns whose place was alive. */
  needless(bound: ClientKind["bound"]): { needless: number; living: number } {
    const rows = [...this.#rows].filter(([kind]) => kind.bound === bound).map(([, row]) => row);
    return { needless: sum(rows.map((row) => row.needless)), living: sum(rows.map((row) => row.living)) };
  }

  get traces(): string {
    return this.#traces.join("\n\n");
  }

  /** The table by client kind. */
  table(): string {
    const names = ["turns", "continued", "new", "living", ...violations] as const;
    const line = (name: string, row: Row) =>
      name.padEnd(30) + names.map((column) => String(row[column]).padStart(10)).join("");
    const total = emptyRow();
    for (const row of this.#rows.values()) for (const name of names) total[name] += row[name];
    const rows = [...this.#rows].map(([kind, row]) => line(kind.name, row));
    const header = this.#kind.padEnd(30) + names.map((name) => name.padStart(10)).join("");
    const errors = [...this.#errors].map(([name, count]) => `${count} × ${name}`).join(", ");
    return [header, ...rows.sort(), line("total", total), ...(errors ? [`errors: ${errors}`] : [])].join(
      "\n",
    );
  }

  /** Where a chat is a line: whether this is the end of its chat, and no other chat ends with the same messages. */
  #isOnlyEnd(node: Node, nodes: readonly Node[]): boolean {
    const isEnd = ({ call }: Node) => this.#calls.chat(call.chatId).latest === call.serial;
    return (
      isEnd(node) && !nodes.some((other) => other !== node && other.content === node.content && isEnd(other))
    );
  }

  /** Whether a call stands in a foreign branch, and the turn was answered by a later one. */
  #isMisplaced({ turn, calls }: FinishedTurn, call: KimiCall): boolean {
    if (!this.#mayMisplace || !calls.some(({ serial }) => serial > call.serial)) return false;
    const requested = new Set(turn.messages.flatMap(({ content }) => wordsOf(content)));
    return [...call.words].some((word) => !requested.has(word));
  }

  #judgeCall({ turn }: FinishedTurn, call: KimiCall, found: Set<Violation>): void {
    const { conversation, base, expected } = turn;
    const requested = new Set(turn.messages.flatMap(({ content }) => wordsOf(content)));
    const visible = conversation.visibleWords();
    for (const { text } of [...base, ...expected]) for (const word of wordsOf(text)) visible.add(word);
    // A window hides what was edited before it; an id with a single message goes on at its end, whatever was edited.
    const { history, ids, deletesHead } = conversation.kind;
    const isJudgedForStale = history === "none" || (history === "full" && ids === "never" && !deletesHead);
    for (const word of call.words) {
      if (requested.has(word)) continue;
      if (!conversation.owns(ownerOf(word))) found.add("foreign");
      else if (isJudgedForStale && !visible.has(word) && !conversation.hasChangedSystem) found.add("stale");
    }
    for (const word of requested) if (!call.words.has(word)) found.add("missing");
  }

  #judgePlace(finished: FinishedTurn, call: KimiCall | undefined, row: Row, found: Set<Violation>): void {
    const { turn, outcome, round } = finished;
    const node = turn.lastAnswer?.node;
    const isShared =
      node &&
      [...this.#calls.chat(node.call.chatId).users].some(
        ([user, used]) => user !== turn.conversation.number && used >= round,
      );
    const isLiving = finished.isLiving && !isShared;
    if (isLiving && (call || outcome.type === "failed")) row.living += 1;
    const isOnId = turn.expected.length > 0;
    if (
      isOnId &&
      call &&
      turn.expected.some(({ text }) => wordsOf(text).some((word) => !call.words.has(word)))
    )
      found.add("lost");
    if (isOnId && isLiving && outcome.type === "failed" && outcome.status === 404) found.add("lost");
    if (!isOnId && isLiving && call?.isNewChat) found.add("needless");
  }

  #remember(finished: FinishedTurn, found: readonly Violation[]): void {
    const { conversation } = finished.turn;
    const text = describeTurn(finished, found);
    const lines = this.#lines.get(conversation.owner) ?? [];
    if (this.#rememberedTurns < maxRememberedTurns) {
      this.#rememberedTurns += 1;
      lines.push(text);
      this.#lines.set(conversation.owner, lines);
    }
    const bound = conversation.kind.bound;
    const isGrave = found.some((name) => name !== "needless" || bound === "full");
    if (!isGrave || this.#traces.length >= maxTraces) return;
    const foreign = found.includes("foreign") ? this.#foreignOwners(finished) : [];
    const chats = finished.calls.map(({ chatId }) => nameChat(chatId));
    const others = foreign.flatMap((owner) => {
      const shared = (this.#lines.get(owner) ?? []).filter((line) =>
        chats.some((chat) => line.includes(chat)),
      );
      return [`  the other one, ${owner}, in the same chat:`, ...shared.slice(0, maxLines)];
    });
    const branches = finished.calls.map(
      ({ branch }) => `  Kimi held: ${shorten(JSON.stringify(branch), 1_200)}`,
    );
    const header = `${found.join(", ")} in ${conversation.owner} (${conversation.kind.name}), turn ${finished.turn.number}:`;
    this.#traces.push([header, ...lines.slice(-maxLines), ...branches, ...others].join("\n"));
  }

  #foreignOwners({ turn, calls }: FinishedTurn): string[] {
    const owners = calls.flatMap(({ words }) => [...words].map(ownerOf));
    return [...new Set(owners.filter((owner) => !turn.conversation.owns(owner)))].slice(0, 2);
  }

  #rowOf(kind: ClientKind): Row {
    const row = this.#rows.get(kind) ?? emptyRow();
    this.#rows.set(kind, row);
    return row;
  }
}

/** Failures that the test itself has caused, and ids that are no longer alive. */
function isExplained({ turn, outcome, isLiving }: FinishedTurn): boolean {
  if (turn.action === "cut") return true;
  return outcome.type === "failed" && outcome.status === 404 && turn.id !== undefined && !isLiving;
}

function describeTurn(
  { turn, outcome, calls, gateway, round }: FinishedTurn,
  found: readonly string[],
): string {
  const named = turn.id === undefined ? "" : ` id …${turn.id.slice(-5)}`;
  const messages = turn.messages.map(({ role, content }) => `${role[0]}:${shorten(content)}`).join(" | ");
  const result = outcome.type === "failed" ? `${outcome.status} ${outcome.code}` : outcome.type;
  const given = outcome.type === "answered" ? ` id …${outcome.id?.slice(-5)}` : "";
  const chats = calls.map(
    ({ chatId, isNewChat, serial }) => `${isNewChat ? "new " : ""}${nameChat(chatId)} call ${serial}`,
  );
  const action = `${turn.action}${turn.model === "other" ? ", other model" : ""}`;
  return `    round ${round}, gateway ${gateway}, ${action}${named}: ${shorten(messages, 500)} → ${result}${given} [${chats.join("; ")}]${found.length > 0 ? ` ! ${found.join(", ")}` : ""}`;
}

function describeCall({ chatId, branch }: KimiCall): string {
  return `${nameChat(chatId)} ${JSON.stringify(branch)}`;
}

function shorten(text: string, length = 70): string {
  const flat = text.replace(/\s+/g, " ");
  if (flat.length <= length) return flat;
  return `${flat.slice(0, Math.ceil(length * 0.6))}…(${flat.length})…${flat.slice(-Math.floor(length * 0.4))}`;
}

function nameChat(chatId: string): string {
  return `chat …${chatId.slice(-5)}`;
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

function emptyRow(): Row {
  return {
    turns: 0,
    continued: 0,
    new: 0,
    living: 0,
    foreign: 0,
    stale: 0,
    missing: 0,
    wrong: 0,
    lost: 0,
    needless: 0,
    side: 0,
    error: 0,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
