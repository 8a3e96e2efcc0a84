import type { Directive } from "../directives.js";
import { ApiError } from "../errors.js";
import { asObject, type JsonObject } from "../json.js";
import { type Corruption, corruptAnswer, corruptArguments, isCorruption } from "./corruptions.js";

const misbehaviours = [
  "prose-around",
  "only-prose",
  "refuse-format",
  "wrong-type",
  "missing-key",
  "extra-key",
  "several",
] as const;

/** How an answer that is to be JSON goes wrong; described in docs/reference/simulator.md, “A model that was told of a format”. */
export type JsonFault = (typeof misbehaviours)[number] | Corruption;

/** The faults after which an answer cannot be read, so that the model has to be told before it does better. */
const unreadable: readonly JsonFault[] = [
  "only-prose",
  "refuse-format",
  "wrong-type",
  "missing-key",
  "extra-key",
  "several",
  "half-call",
];

/** The fault of `sim:json-fault=NAME[,TIMES]`, and how many answers have it. Throws ApiError for an unknown name. */
export function parseJsonFault(
  directives: readonly Directive[],
): { fault: JsonFault; times: number } | undefined {
  const value = directives.find(({ name }) => name === "json-fault")?.value;
  if (value === undefined) return undefined;
  const [name = "", times] = value.split(",");
  const known = misbehaviours.find((each) => each === name);
  const fault = known ?? (isCorruption(name) ? name : undefined);
  if (fault === undefined)
    throw new ApiError({ code: "invalid_argument" }, `the simulator knows no fault of JSON "${name}"`);
  return { fault, times: times === undefined ? 1 : Number(times) };
}

export function isUnreadable(fault: JsonFault): boolean {
  return unreadable.includes(fault);
}

/** The answer in place of this value. */
export function writeWithFault(value: unknown, fault: JsonFault): string {
  const json = JSON.stringify(value);
  switch (fault) {
    case "prose-around":
      return `(Simulated) Of course [1]. Here it is:\n\n\`\`\`json\n${json}\n\`\`\`\n\nI hope that {this} helps.`;
    case "only-prose":
      return "(Simulated) Everything has been found, and all of it is fine.";
    case "refuse-format":
      return "(Simulated) Sorry, I cannot write that.";
    case "wrong-type":
      return JSON.stringify(withFirst(value, () => ({ wrong: [true] })));
    case "missing-key":
      return JSON.stringify(withFirst(value, () => undefined));
    case "extra-key":
      return JSON.stringify({ ...asObject(value), "sim-extra": 1 });
    case "several":
      return `${json}\n\n${JSON.stringify(withFirst(value, () => "another one"))}`;
    default: {
      const [call] = corruptArguments([{ name: "", json }], fault);
      return corruptAnswer(call?.json ?? json, fault);
    }
  }
}

/** The value with another first property, or another first item. */
function withFirst(value: unknown, replace: () => unknown): unknown {
  if (Array.isArray(value)) return [replace(), ...value.slice(1)];
  const object: JsonObject = asObject(value) ?? {};
  const [key = "wrong"] = Object.keys(object);
  return { ...object, [key]: replace() };
}
