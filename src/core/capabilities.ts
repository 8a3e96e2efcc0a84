import { type LocalizedText, text } from "../i18n/text.js";

/** How well an assumption is proven; the grades are those of kimi-web.md. */
type CapabilityGrade = "CAP" | "LIVE" | "CODE" | "GUESS";

type Assumption = {
  /** What is assumed of Kimi, as a sentence that is true or false of an account. */
  meaning: LocalizedText;
  grade: CapabilityGrade;
  /** The section of kimi-web.md that has the evidence. */
  evidence: string;
  /** The files whose behaviour depends on it; empty where it is only measured. */
  usedIn: readonly string[];
  /** What Moonbridge does where it is false. */
  fallback: LocalizedText;
  /** What turns it off while Moonbridge runs; undefined where only a probe changes it. */
  contradictedBy?: LocalizedText;
};

type Flag = Assumption & { default: boolean };

const onlyMeasured = text("Nothing depends on it.", "没有功能依赖它。");

/**
 * What Moonbridge assumes of Kimi and no capture proves for every account. Without a measurement of an account its default
 * counts. docs/protocol/capabilities.md has the same table.
 */
export const capabilities = {
  "old-parent": {
    meaning: text(
      "A message can continue after an answer that is not the newest of its chat.",
      "消息可以接在会话中较早的回答之后，而不只是最新的回答。",
    ),
    default: true,
    grade: "CAP",
    evidence: "§2.7",
    usedIn: ["src/upstreams/kimi-web/upstream.ts", "src/chat/turn.ts"],
    fallback: text(
      "Chats count as lines: only their newest answer is continued; an edited or repeated question begins a new chat with the whole history.",
      "把会话当作一条直线：只在最新的回答之后继续；编辑或重发的问题会带着全部历史新建会话。",
    ),
    contradictedBy: text(
      "Kimi puts a message after another answer than was asked for, or refuses the older answer.",
      "Kimi 把消息放到了别的回答之后，或拒绝了较早的回答。",
    ),
  },
  "cancelled-parent": {
    meaning: text("A message can continue after a cancelled answer.", "消息可以接在被取消的回答之后。"),
    default: false,
    grade: "GUESS",
    evidence: "§4",
    usedIn: [],
    fallback: onlyMeasured,
  },
  "chat-without-parent": {
    meaning: text(
      "A message that names its chat and no parent goes to the chat's end.",
      "只写明会话、不写明上一条消息时，消息会接在会话末尾。",
    ),
    default: false,
    grade: "GUESS",
    evidence: "§4",
    usedIn: [],
    fallback: onlyMeasured,
  },
  "echo-text": {
    meaning: text("Kimi echoes the text of a message as it was sent.", "Kimi 会原样回显消息的文字。"),
    default: true,
    grade: "CAP",
    evidence: "§2.5",
    usedIn: ["src/upstreams/kimi-web/echo.ts"],
    fallback: text("The echoed text is not compared.", "不再比较回显的文字。"),
    contradictedBy: text("An echo has another text.", "回显的文字不同。"),
  },
  "tool-calls": {
    meaning: text(
      "The default model calls functions that it is told of in the prompt, without thinking.",
      "默认模型不思考时，会调用提示词中说明的函数。",
    ),
    default: true,
    grade: "LIVE",
    evidence: "§6",
    usedIn: [],
    fallback: onlyMeasured,
  },
  "tool-calls-thinking": {
    meaning: text(
      "The default model calls such functions when it thinks, too.",
      "默认模型思考时也会调用这些函数。",
    ),
    default: false,
    grade: "LIVE",
    evidence: "§6",
    usedIn: [],
    fallback: onlyMeasured,
  },
  "declared-tools": {
    meaning: text(
      "Kimi accepts a message that declares a function as a tool of the device.",
      "Kimi 接受把函数声明为设备工具的消息。",
    ),
    default: true,
    grade: "LIVE",
    evidence: "§6",
    usedIn: [],
    fallback: onlyMeasured,
  },
  "system-prompt": {
    meaning: text("Kimi's model follows options.systemPrompt.", "Kimi 的模型遵循 options.systemPrompt。"),
    default: true,
    grade: "LIVE",
    evidence: "§6",
    usedIn: [],
    fallback: onlyMeasured,
  },
  "old-refresh-token": {
    meaning: text(
      "A refresh token stays valid for a while after it was replaced.",
      "刷新令牌被替换后还会有效一段时间。",
    ),
    default: false,
    grade: "LIVE",
    evidence: "§4",
    usedIn: [],
    fallback: onlyMeasured,
  },
  "readable-after-cut": {
    meaning: text(
      "An answer whose connection was cut goes on, and ListMessages has it under its id, COMPLETED only once it is whole.",
      "连接中断的回答会继续生成；ListMessages 以原来的 id 给出它，完整之后才是 COMPLETED。",
    ),
    default: true,
    grade: "GUESS",
    evidence: "§4",
    usedIn: ["src/upstreams/kimi-web/upstream.ts"],
    fallback: text("A cut answer ends with its error at once.", "中断的回答立即以错误结束。"),
  },
  "long-prompt": {
    meaning: text("A prompt of 450,000 characters is accepted.", "可以接受 450,000 个字符的提示词。"),
    default: false,
    grade: "LIVE",
    evidence: "§6",
    usedIn: ["src/chat/emulated-features.ts"],
    fallback: text(
      "What is beyond 400,000 characters goes as a file.",
      "超过 400,000 个字符的部分作为文件发送。",
    ),
    contradictedBy: text("Kimi refuses a prompt of that length.", "Kimi 拒绝了这个长度的提示词。"),
  },
  "legacy-endpoints": {
    meaning: text(
      "The endpoints of the legacy protocol answer this account.",
      "旧协议的接口仍回应这个账号。",
    ),
    default: true,
    grade: "LIVE",
    evidence: "§6",
    usedIn: [],
    fallback: onlyMeasured,
  },
  "tool-blocks": {
    meaning: text(
      "The results of a search that the stream leaves out can be requested.",
      "流中缺少的搜索结果可以另行请求。",
    ),
    default: true,
    grade: "CODE",
    evidence: "§6",
    usedIn: ["src/upstreams/kimi-web/upstream.ts"],
    fallback: text("They are not requested; such sources have no links.", "不再请求；这些来源没有链接。"),
  },
} as const satisfies Record<string, Flag>;

/** The capabilities that are true or false. */
export type CapabilityFlag = keyof typeof capabilities;

/** How many seconds a chat refuses a message after its answer was cancelled. */
export const busySeconds = {
  name: "busy-seconds",
  meaning: text(
    "A chat takes a message again so many seconds after its answer was stopped.",
    "回答被停止后，会话要过这么多秒才接受新消息。",
  ),
  default: 5,
  grade: "LIVE",
  evidence: "§6",
  usedIn: ["src/chat/busy-chat-retries.ts"],
  fallback: text(
    "Beyond 6 seconds Moonbridge waits longer, up to 15; beyond that it begins a new chat at once.",
    "超过 6 秒时 Moonbridge 会等待更久，最多 15 秒；再久就直接新建会话。",
  ),
} as const satisfies Assumption & { name: string; default: number };

export type CapabilityName = CapabilityFlag | typeof busySeconds.name;

export const capabilityFlags = Object.keys(capabilities).filter(isCapabilityFlag);

function isCapabilityFlag(name: string): name is CapabilityFlag {
  return Object.hasOwn(capabilities, name);
}

/** A value of one account. `source`: measured by `moonbridge probe`, or contradicted in use. */
export type CapabilityChange = { source: "probe" | "use"; changedAt: number };

/** A capability of an account. `change`: undefined where its default counts. */
export type CapabilityState = { change: CapabilityChange | undefined } & (
  | { name: CapabilityFlag; value: boolean }
  | { name: typeof busySeconds.name; value: number }
);

/** Capabilities that are known to be other than their default says. */
export function changedCapabilities(states: readonly CapabilityState[]) {
  return states.flatMap(({ name, value, change }) => {
    const assumption = name === busySeconds.name ? busySeconds : capabilities[name];
    return change && value !== assumption.default ? [{ name, value, change, assumption }] : [];
  });
}

/** What is known of one account. Never throws: a store that fails costs the persistence only. */
export interface Capabilities {
  has(name: CapabilityFlag): boolean;
  /** See `busySeconds`. */
  readonly busySeconds: number;
  /** Something that Kimi did shows that it is false: turns it off, if it is on. */
  contradict(name: CapabilityFlag): void;
  /** All of them, in the order of the table. */
  list(): CapabilityState[];
}

/** A value as it is stored. `account`: a hash. */
export type StoredCapability = {
  account: string;
  name: string;
  value: boolean | number;
} & CapabilityChange;

/** The capabilities of accounts that differ from their defaults or were measured. */
export interface CapabilityStore {
  listCapabilities(account: string): Promise<readonly StoredCapability[]>;
  /** Replaces the value of the same account and name, in one step for all of them. */
  saveCapabilities(capabilities: readonly StoredCapability[]): Promise<void>;
}
