import type { ClientKind } from "./client-kinds.js";
import type { KimiCall } from "./kimi-calls.js";
import type { Random } from "./random.js";
import {
  assistantOwner,
  assistantText,
  assistantWord,
  createQuestion,
  foreignAnswer,
  formatClock,
  greeting,
  nextChatSystemText,
  type QuestionStyle,
  sideTexts,
  unfinished,
} from "./texts.js";
import { WordSource, wordsOf } from "./words.js";

/** A message as the person sees it. */
export type Entry = { id: number; role: "user" | "assistant"; text: string; node?: Node };

/** The place on Kimi's side that an answer has come from. */
export type Node = {
  call: KimiCall;
  /** The ids of the entries up to this answer, as they were told. */
  path: readonly number[];
  /** Their texts. */
  content: string;
  model: Model;
};

type Model = "kimi" | "other";
export type Action =
  | "next"
  | "edit-question"
  | "edit-answer"
  | "regenerate"
  | "clear"
  | "delete-head"
  | "abort"
  | "cut"
  | "side";

type WireMessage = { role: "system" | "user" | "assistant"; content: string };

/** One turn as the client sends it. */
export type PlannedTurn = {
  conversation: Conversation;
  number: number;
  action: Action;
  model: Model;
  question: Entry;
  /** The entries before the new question. */
  base: readonly Entry[];
  /** Those of them that are sent. */
  sent: readonly Entry[];
  messages: WireMessage[];
  id: string | undefined;
  stream: boolean;
  headers: Record<string, string>;
  /** What Kimi must hold besides the request itself, where the request rests on the id alone. */
  expected: readonly Entry[];
  /** The newest answer that the request goes on from. */
  lastAnswer: Entry | undefined;
};

/** What a client got for a turn. */
export type Outcome =
  | { type: "answered"; text: string; id: string | undefined; call: KimiCall | undefined }
  | { type: "aborted"; text: string }
  | { type: "failed"; status: number; code: string }
  | { type: "disconnected" };

export type SharedCounters = { owners: number; entries: number };

const minute = 60_000;

/** A conversation of one client: what it has on its screen, and what it does next. */
export class Conversation {
  readonly kind: ClientKind;
  readonly key: number;
  readonly number: number;
  readonly #random: Random;
  readonly #counters: SharedCounters;
  readonly #clockFormat: number;
  #words: WordSource;
  #assistant: number | undefined;
  /** Other conversations and assistants whose words were once this one's. */
  #owners: Set<string>;
  /** Set when the system text was changed for good. */
  hasChangedSystem = false;
  /** Set when it named an id with a first message: Kimi then knows more than the history that is sent. */
  hasHiddenPast = false;
  /** The round of its latest turn that did not end well. */
  disturbedAt = Number.NEGATIVE_INFINITY;
  readonly nodes: Node[] = [];
  #clock = Date.now();
  #path: Entry[] = [];
  /** Questions during whose answer the gateway was killed: its turn may have been saved, although no answer arrived. */
  #undelivered: Entry[] = [];
  #id: string | undefined;
  /** What the person saw when each id was last given. */
  readonly #ends = new Map<string, readonly Entry[]>();
  #turn = 0;
  #turnsLeft: number;

  constructor(
    kind: ClientKind,
    { random, counters, assistants }: { random: Random; counters: SharedCounters; assistants: number },
  ) {
    this.kind = kind;
    this.#random = random;
    this.#counters = counters;
    this.#words = this.#newWords();
    this.number = counters.owners;
    this.key = random.chance(0.8) ? 0 : 1;
    this.#clockFormat = random.integer(0, 4);
    this.#turnsLeft = random.integer(2, 20);
    const hasAssistant = kind.system === "own" || kind.system === "own-clock";
    this.#assistant = hasAssistant ? random.integer(1, assistants) : undefined;
    this.#owners = this.#currentOwners();
    if (kind.greets) this.#path.push(this.#entry("assistant", greeting));
    if (kind.begunElsewhere) this.#beginElsewhere();
  }

  /** The owner of its words. */
  get owner(): string {
    return this.#words.owner;
  }

  get isOver(): boolean {
    return this.#turnsLeft <= 0;
  }

  /** Whether a word belongs to this conversation or to its assistant. */
  owns(owner: string): boolean {
    return this.#owners.has(owner);
  }

  /** The words of all that is on the screen or may have been answered, and of the system text. */
  visibleWords(): Set<string> {
    const words = new Set([...this.#path, ...this.#undelivered].flatMap(({ text }) => wordsOf(text)));
    if (this.#assistant !== undefined) words.add(assistantWord(this.#assistant));
    return words;
  }

  plan(): PlannedTurn {
    this.#turn += 1;
    this.#turnsLeft -= 1;
    this.#clock += this.#random.integer(1, 90) * minute;
    const chosen = this.#chooseAction();
    const regenerated = this.#prepare(chosen);
    // Asked again, a question without an end has none either.
    const action = regenerated?.text.includes(unfinished.stall) ? "abort" : chosen;
    const id = this.#chooseId();
    const history = this.#historyFor(id);
    const question = regenerated ?? this.#createQuestion(action);
    const sent = this.#entriesToSend(history, id);
    const expected = id !== undefined && sent.length === 0 ? history : [];
    const messages = [...this.#systemMessages(), ...[...sent, question].map(toMessage)];
    if (action === "side" && this.kind.side === "openWebUi") messages.splice(0, messages.length - 1);
    return {
      conversation: this,
      number: this.#turn,
      action,
      model: this.kind.ids === "never" && this.#random.chance(0.02) ? "other" : "kimi",
      question,
      base: history,
      sent,
      messages,
      id: action === "side" ? undefined : id,
      stream: action === "abort" || this.#random.chance(0.5),
      headers: this.kind.affinity ? { "x-session-affinity": `session-${this.number}` } : {},
      expected,
      lastAnswer: history.findLast(({ role }) => role === "assistant"),
    };
  }

  /** Takes the outcome over onto the screen. */
  absorb(turn: PlannedTurn, outcome: Outcome): void {
    if (turn.action === "side") return;
    if (outcome.type === "answered") {
      if (turn.id !== undefined && turn.base.length === 0) this.hasHiddenPast = true;
      const answer = this.#entry("assistant", outcome.text);
      const path = [...turn.base, turn.question, answer];
      if (outcome.call)
        answer.node = {
          call: outcome.call,
          path: path.map(({ id }) => id),
          content: path.map(({ text }) => text).join("\n"),
          model: turn.model,
        };
      if (answer.node) this.nodes.push(answer.node);
      this.#path = path;
      this.#rememberId(outcome.id);
    } else if (outcome.type === "aborted" && this.kind.history !== "none" && this.#random.chance(0.5)) {
      // Some UIs keep the part that has arrived.
      this.#path = [...turn.base, turn.question, this.#entry("assistant", outcome.text)];
    } else if (outcome.type === "failed" && outcome.status === 404) {
      this.#forgetId(turn.id);
      if (this.kind.history === "none") this.#path = [];
    } else if (outcome.type === "disconnected" && this.kind.history === "none") {
      this.#undelivered.push(turn.question);
    }
  }

  #chooseAction(): Action {
    const hasTurn = this.#path.some(({ role }) => role === "user");
    const point = this.#random.next();
    if (point < 0.03) return "abort";
    if (point < 0.045) return "cut";
    if (this.kind.history === "none" || !hasTurn) return "next";
    if (point < 0.09) return "edit-question";
    if (point < 0.12) return "edit-answer";
    if (point < 0.16) return "regenerate";
    if (point < 0.18) return "clear";
    if (this.kind.deletesHead && point < 0.33) return "delete-head";
    if (this.kind.side && point < 0.26) return "side";
    return "next";
  }

  /** Changes the screen before the question; returns the question if it is asked again. */
  #prepare(action: Action): Entry | undefined {
    switch (action) {
      case "edit-question": {
        this.#path.length = this.#pickIndex("user");
        return undefined;
      }
      case "edit-answer": {
        const index = this.#path.some(({ role }) => role === "assistant") ? this.#pickIndex("assistant") : -1;
        const text = `${this.#path[index]?.text ?? ""} (corrected: ${this.#words.next()})`;
        if (index >= 0) this.#path[index] = this.#entry("assistant", text);
        return undefined;
      }
      case "regenerate": {
        const index = this.#path.findLastIndex(({ role }) => role === "user");
        const question = this.#path[index];
        this.#path.length = index;
        return question;
      }
      case "clear":
        // What was said before is to be gone, so its words are another's from now on.
        this.#path = [];
        this.#undelivered = [];
        this.#words = this.#newWords();
        this.#owners = this.#currentOwners();
        this.#forgetId(this.#id);
        this.#ends.clear();
        return undefined;
      case "delete-head":
        this.#path.splice(0, this.#random.integer(1, 3));
        return undefined;
      case "next":
        if (this.#assistant !== undefined && this.#path.length > 0 && this.#random.chance(0.01)) {
          this.#assistant += 1;
          this.#owners.add(assistantOwner(this.#assistant));
          this.hasChangedSystem = true;
        }
        return undefined;
      default:
        return undefined;
    }
  }

  #chooseId(): string | undefined {
    switch (this.kind.ids) {
      case "never":
        return undefined;
      case "sometimes":
        return this.#random.chance(0.5) ? this.#id : undefined;
      case "any":
        return this.#ends.size > 0 && this.#random.chance(0.6)
          ? this.#random.pick([...this.#ends.keys()].slice(-5))
          : undefined;
      default:
        return this.#id;
    }
  }

  /** The entries before the new question, whether they are sent or the id stands for them. */
  #historyFor(id: string | undefined): readonly Entry[] {
    if (this.kind.ids === "any" && id !== undefined) return this.#ends.get(id) ?? [];
    return this.#path;
  }

  /** The entries that are sent along. A client of several ids sends them where it names none, and so gets a new one. */
  #entriesToSend(history: readonly Entry[], id: string | undefined): readonly Entry[] {
    const { history: size, ids } = this.kind;
    if (size === "full") return history;
    if (size !== "none") return history.slice(-size);
    return ids === "any" && id === undefined ? history : [];
  }

  #createQuestion(action: Action): Entry {
    if (action === "side") return this.#entry("user", this.#sideText());
    const suffix = action === "abort" ? ` ${unfinished.stall}` : action === "cut" ? ` ${unfinished.cut}` : "";
    const style = suffix === "" ? this.#chooseStyle() : "own-short";
    return this.#entry("user", `${createQuestion(style, this.#words, this.#random)}${suffix}`);
  }

  #chooseStyle(): QuestionStyle {
    const isOpening = !this.#path.some(({ role }) => role === "user");
    const point = this.#random.next();
    if (isOpening && point < 0.7) return "common-short";
    if (this.#random.chance(0.01)) return "look-alike";
    const limits =
      this.kind.answers === "real" ? [0.93, 0.95, 0.97, 0.98, 0.99] : [0.3, 0.5, 0.6, 0.68, 0.82];
    const styles = [
      "own-long",
      "own-short",
      "common-short",
      "common-long",
      "rare-short",
      "rare-long",
    ] as const;
    return styles[limits.filter((limit) => point >= limit).length] ?? "own-long";
  }

  #sideText(): string {
    if (this.kind.side === "nextChat") return sideTexts.nextChat;
    return sideTexts.openWebUi(
      this.#path
        .slice(-2)
        .map(({ role, text }) => `${role}: ${text}`)
        .join("\n"),
    );
  }

  #systemMessages(): WireMessage[] {
    const clock = formatClock(this.#clock, this.#clockFormat);
    const own = this.#assistant === undefined ? "" : assistantText(this.#assistant);
    const contents = {
      none: "",
      own,
      "own-clock": `${own}\n\nCurrent date and time: ${clock}`,
      "common-clock": nextChatSystemText(clock),
    };
    const content = contents[this.kind.system];
    return content === "" ? [] : [{ role: "system", content }];
  }

  #rememberId(id: string | undefined): void {
    if (id === undefined) {
      if (this.kind.history === "none" && this.kind.ids !== "any") this.#path = [];
      return;
    }
    this.#id = this.kind.ids === "first" ? (this.#id ?? id) : id;
    this.#ends.set(id, [...this.#path]);
  }

  #forgetId(id: string | undefined): void {
    if (id !== undefined) this.#ends.delete(id);
    if (id === this.#id) this.#id = undefined;
  }

  #beginElsewhere(): void {
    for (let turn = this.#random.integer(1, 3); turn > 0; turn--) {
      const style = this.#random.chance(0.7) ? "rare-short" : this.#chooseStyle();
      const question = createQuestion(style, this.#words, this.#random);
      const answer = foreignAnswer(question, this.#words, this.#random);
      this.#path.push(this.#entry("user", question), this.#entry("assistant", answer));
    }
  }

  #pickIndex(role: Entry["role"]): number {
    return this.#random.pick(this.#path.flatMap((entry, index) => (entry.role === role ? [index] : [])));
  }

  #newWords(): WordSource {
    this.#counters.owners += 1;
    return new WordSource(`c${this.#counters.owners}`);
  }

  #currentOwners(): Set<string> {
    const assistants = this.#assistant === undefined ? [] : [assistantOwner(this.#assistant)];
    return new Set([this.#words.owner, ...assistants]);
  }

  #entry(role: Entry["role"], text: string): Entry {
    this.#counters.entries += 1;
    return { id: this.#counters.entries, role, text };
  }
}

function toMessage({ role, text }: Entry): WireMessage {
  return { role, content: text };
}
