import { limits } from "../../core/limits.js";
import type { Tool, ToolChoice } from "../../core/types.js";
import { callForm } from "./call-form.js";
import {
  type DescribedTools,
  describeTools,
  listSignatures,
  type ToolDescriptions,
} from "./describe-tools.js";
import { writeExample } from "./tool-example.js";

/**
 * The section that tells a model of functions which its chat does not have: what they are, how a call is written, a finished
 * example. It describes and gives no orders: prompts full of these are refused as injections.
 */
export function writeSection(described: DescribedTools, word: string): ToolDescriptions {
  const setting = described.isShort
    ? "A program on the user's computer runs this conversation and can carry out these functions for the assistant:"
    : "This conversation is run by a program on the user's computer. It can carry out the functions below for the assistant and puts their results into the next message; the cloud sandbox is not connected to that computer.";
  const list = "The functions, each with its parameters as JSON Schema:";
  const form = [
    `A call of a function is one line:\n${callForm(word)}`,
    "Calls that do not depend on each other are several such lines. A message with calls ends after the last one, and the results come with the next message.",
  ].join("\n");
  const { text, inShort } = describeTools(described);
  const parts = [
    setting,
    ...(described.isShort ? [] : [list]),
    text,
    form,
    "This is what a finished call looks like, with placeholders for values:",
    writeExample(described.tools, described.aliases, word),
    "The conversation itself:",
  ];
  return { text: parts.join("\n\n"), inShort };
}

export type ToolNews = DescribedTools & {
  /** All functions: their signatures are told again. Empty: they are not due. */
  signaturesOf: readonly Tool[];
  /** The told names of functions that are not declared any more. */
  removed: readonly string[];
};

/** What a later turn of a chat tells of functions; an empty string for nothing. `tools` are those that are described. */
export function writeToolNews(news: ToolNews): ToolDescriptions {
  const parts: string[] = [];
  if (news.removed.length > 0)
    parts.push(`Functions that are not available any more: ${news.removed.join(", ")}.`);
  if (news.signaturesOf.length > 0)
    parts.push(`The functions in short:\n${listSignatures(news.signaturesOf, news.aliases)}`);
  const { text, inShort } = describeTools(news);
  if (text !== "") parts.push(`Functions that are new, have changed or are described again:\n\n${text}`);
  return { text: parts.length === 0 ? "" : `system: ${parts.join("\n\n")}`, inShort };
}

/** An upper bound of the characters that one turn tells of functions. */
export function maxTellingLength(tools: readonly Tool[], toolChoice: ToolChoice | undefined): number {
  const lengths = tools.map((tool) => JSON.stringify(tool).length);
  const descriptions = Math.min(
    limits.toolDescriptions,
    lengths.reduce((sum, length) => sum + length, 0),
  );
  const forced =
    typeof toolChoice === "object" ? tools.findIndex(({ name }) => name === toolChoice.name) : -1;
  const signatures = 2 * limits.toolSignature * tools.length;
  return descriptions + signatures + (lengths[forced] ?? 0) + tellingOverhead;
}

/** Characters of the section's own sentences, of its example and of a correction. */
const tellingOverhead = 4_000;
