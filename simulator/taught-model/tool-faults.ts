import type { Directive } from "../directives.js";
import { ApiError } from "../errors.js";
import { type Corruption, corruptionNames, isCorruption } from "./corruptions.js";

/** How the model behaves wrongly; the table of docs/reference/simulator.md, “Faults of the model”, describes each. */
const misbehaviours = [
  "drift",
  "refuse",
  "invent",
  "silent",
  "announce",
  "unknown-tool",
  "wrong-arguments",
  "call-anyway",
  "kimi-tool",
  "in-thinking",
  "cite-example",
] as const;

type Misbehaviour = (typeof misbehaviours)[number];

/** A fault of one answer of the model. */
export type ToolFault =
  | { kind: Misbehaviour | Corruption }
  /** The longest argument is replaced by `characters` of text, with a pause between its pieces. */
  | { kind: "slow-argument"; characters?: number; milliseconds?: number };

/** The names of all faults. */
export const toolFaultNames: readonly string[] = [...misbehaviours, ...corruptionNames, "slow-argument"];

/** A fault that a message asks for, and how many answers to this message have it. */
export type RequestedFault = { fault: ToolFault; times: number };

/** The faults of `sim:tool-fault=NAME[,TIMES]`, in order. Throws ApiError for an unknown name. */
export function parseToolFaults(directives: readonly Directive[]): RequestedFault[] {
  const values = directives.filter(({ name }) => name === "tool-fault").map(({ value }) => value);
  return values.map((value) => {
    const [name = "", ...numbers] = value.split(",");
    const [first, second] = numbers.map(Number);
    if (name === "slow-argument")
      return { fault: { kind: name, characters: first ?? 30_000, milliseconds: second ?? 0 }, times: 1 };
    if (isMisbehaviour(name) || isCorruption(name)) return { fault: { kind: name }, times: first ?? 1 };
    throw new ApiError({ code: "invalid_argument" }, `the simulator knows no fault of a model "${name}"`);
  });
}

function isMisbehaviour(name: string): name is Misbehaviour {
  return misbehaviours.some((known) => known === name);
}

/** True if the answer with this fault is of no use, so that the model has to be told before it does better. */
export function needsCorrection({ kind }: ToolFault): boolean {
  return [
    "silent",
    "announce",
    "unknown-tool",
    "wrong-arguments",
    "call-anyway",
    "kimi-tool",
    "half-call",
  ].includes(kind);
}

/** True if the fault concerns an answer that would have no call, too. */
export function appliesWithoutCall({ kind }: ToolFault): boolean {
  return ["call-anyway", "cite-example", "refuse"].includes(kind);
}
