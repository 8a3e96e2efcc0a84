import type { Turn } from "../default-answer.js";
import type { JsonObject } from "../json.js";
import type { Step, StreamPosition } from "../steps.js";
import { type Family, type WrittenCall, writeCalls } from "./call-families.js";
import {
  type Corruption,
  corruptAnswer,
  corruptArguments,
  isCorruption,
  replaceLongestText,
} from "./corruptions.js";
import type { RequestedCall } from "./prompt-directives.js";
import type { TaughtChat } from "./taught-chat.js";
import type { ToolFault } from "./tool-faults.js";

/** What the model would write if it made no mistake. */
export type Draft = { chat: TaughtChat; family: Family; word: string; calls: readonly RequestedCall[] };

/** The answer without a mistake: the calls and nothing else. */
export function writeDraft(draft: Draft): Step[] {
  return [{ do: "text", content: writeText(draft, writtenCalls(draft)) }];
}

/** The answer with a fault of the model. */
export function answerWithFault(fault: ToolFault, draft: Draft, turn: Turn): Step[] {
  const { kind } = fault;
  if (isCorruption(kind)) return corruptedAnswer(draft, kind);
  const [first] = draft.calls;
  const name = first?.name ?? "";
  switch (fault.kind) {
    case "refuse":
      return [{ do: "text", content: refusal }];
    case "invent":
      return [...writeDraft(draft), { do: "text", content: inventedTail(name) }];
    case "silent":
      return [{ do: "text", content: "(Simulated) Everything has been done as you asked." }];
    case "announce":
      return [{ do: "text", content: `(Simulated) I will call ${name} now and tell you what it returns.` }];
    case "unknown-tool":
      return writeDraft({
        ...draft,
        calls: draft.calls.map((call) => ({ ...call, name: `${call.name}_v2` })),
      });
    case "wrong-arguments":
      return writeDraft({
        ...draft,
        calls: draft.calls.map((call) => ({ ...call, arguments: { input: "all of it" } })),
      });
    case "kimi-tool":
      return kimiToolSteps(first?.arguments ?? {}, turn);
    case "in-thinking":
      return [
        { do: "think", content: `(Simulated) I need ${name}.\n${writeText(draft, writtenCalls(draft))}` },
        { do: "text", content: "(Simulated) Let me look at that." },
      ];
    case "cite-example":
      return [{ do: "text", content: citedExample(draft) }];
    case "slow-argument":
      return slowArgument(draft, fault.characters ?? 30_000, fault.milliseconds ?? 0);
    default:
      return writeDraft(draft);
  }
}

/** The way in which models refuse a prompt that they take for an injection. */
const refusal =
  "(Simulated) I notice that this message contains instructions that look like a prompt injection: they want me to write " +
  "special tags for a program. I will not follow them. How can I help you otherwise?";

function inventedTail(name: string): string {
  return `\n\nresult of ${name}, call 1 of 1: (Simulated) an invented result\n\nI have now done everything, and it worked.`;
}

/** Tells of the example of the functions' section as if it had happened in this chat. */
function citedExample({ chat, calls }: Draft): string {
  const { name, result } = chat.example ?? { name: calls[0]?.name ?? "", result: "something" };
  return `(Simulated) As ${name} returned earlier in this conversation: “${result.trim()}”. So there is nothing left to do.`;
}

function corruptedAnswer(draft: Draft, corruption: Corruption): Step[] {
  const text = writeText(draft, corruptArguments(writtenCalls(draft), corruption));
  return [{ do: "text", content: corruptAnswer(text, corruption) }];
}

/** A call with one long argument, in pieces with a pause between them, as a model writes a long file. */
function slowArgument(draft: Draft, characters: number, milliseconds: number): Step[] {
  const line = 'The quick brown fox jumps over the lazy dog, "quoted".\n';
  const text = line.repeat(Math.ceil(characters / line.length)).slice(0, characters);
  const calls = writtenCalls(draft).map((call) => ({ ...call, json: replaceLongestText(call.json, text) }));
  return [
    { do: "pace", milliseconds },
    { do: "text", content: splitEvery(writeText(draft, calls), 400) },
  ];
}

function splitEvery(text: string, length: number): string[] {
  const characters = Array.from(text);
  const pieces: string[] = [];
  for (let start = 0; start < characters.length; start += length)
    pieces.push(characters.slice(start, start + length).join(""));
  return pieces;
}

function writtenCalls({ calls }: Draft): WrittenCall[] {
  return calls.map((call) => ({ name: call.name, json: JSON.stringify(call.arguments) }));
}

function writeText({ family, word }: Draft, calls: readonly WrittenCall[]): string {
  return writeCalls(calls, family, word);
}

/** Kimi runs its own `shell` instead of the user's function (kimi-web.md §2.5); the older protocol has no event for that. */
function kimiToolSteps(args: JsonObject, turn: Turn): Step[] {
  const text: Step = {
    do: "text",
    content: "(Simulated) I ran that in my sandbox; the file is in /mnt/agents/output.",
  };
  if ("messages" in turn.request) return [text];
  const tool = (mask: string | undefined, fields: JsonObject): Step => ({
    do: "raw",
    frame: ({ eventOffset, block }: StreamPosition) => ({
      op: "set",
      mask,
      eventOffset,
      block: { id: `tool-${block}`, parentId: "", tool: fields },
    }),
  });
  const called = { toolCallId: "shell:1", args: JSON.stringify(args) };
  return [
    tool(undefined, { toolCallId: "shell_0", name: "shell", status: "STATUS_PENDING" }),
    tool("block.tool.args,block.tool.status,block.tool.toolCallId", { ...called, status: "STATUS_RUNNING" }),
    tool("block.tool.contents,block.tool.status", {
      contents: [{ text: { content: "(Simulated) done" } }],
      status: "STATUS_DONE",
    }),
    text,
  ];
}
