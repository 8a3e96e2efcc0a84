import type { Tool } from "../../core/types.js";
import { asText, canonicalJson, isObject, type JsonObject, parseObject } from "../../lib/json.js";
import type { CallFamily, CallParserOptions, CallRepair, InvalidCall } from "./call-pieces.js";
import { unescapeMarkup } from "./escape-markup.js";
import { type CallReader, notACall } from "./families/call-reader.js";
import { JsonBodyReader } from "./families/json-body-reader.js";
import {
  invokeParameters,
  k3Parameters,
  ParameterReader,
  type WrittenParameter,
} from "./families/parameter-reader.js";
import { UnreadableBodyReader } from "./families/unreadable-body-reader.js";
import { propertyText, readJsonText } from "./json-text.js";
import type { Opener } from "./openers.js";
import { validateArguments } from "./validate-arguments.js";

/** A call as the model wrote it. `text`: the arguments' JSON; undefined where they are not JSON in the answer. */
export type WrittenCall = {
  name: string | undefined;
  arguments: JsonObject;
  text: string | undefined;
  repairs: CallRepair[];
};

/** What a call turned out to be. */
export type CallContent =
  | { type: "call"; tool: Tool; arguments: string; repairs: readonly CallRepair[] }
  | { type: "invalid"; name: string | undefined; problem: InvalidCall }
  | { type: "text" };

/** The keys of the arguments beside `name`, as models write them. */
const argumentKeys = ["arguments", "parameters", "input", "args"];

/** Reads the body of one call, and says what it is. */
export class CallBody {
  readonly opener: Opener;
  readonly #closer: string;
  readonly #reader: CallReader;
  /** Whether its end was found. */
  hasEnded = false;

  constructor(opener: Opener, word: string) {
    this.opener = opener;
    this.#closer = closerOf(opener.family, word);
    this.#reader = createReader(opener, this.#closer);
  }

  /** See `CallReader`. */
  read(piece: string): number {
    const end = this.#reader.read(piece);
    this.hasEnded = end !== -1 && end !== notACall;
    return end;
  }

  /** Characters of the opener and the body that were interpreted. */
  get interpreted(): number {
    return this.opener.length + this.#reader.interpreted;
  }

  /** The call as it was written; undefined if it cannot be read. */
  get written(): WrittenCall | undefined {
    if (this.#reader instanceof ParameterReader) {
      return this.hasEnded ? fromParameters(this.opener.name, this.#reader.parameters) : undefined;
    }
    if (!(this.#reader instanceof JsonBodyReader)) return undefined;
    for (const body of this.#reader.bodies) {
      const written = fromJson(body, this.opener, this.#closer);
      if (written) return written;
    }
    return undefined;
  }

  /** What the call is, when it has ended or the answer has. */
  interpret(options: CallParserOptions): CallContent {
    const { family, body } = this.opener;
    if (body === "other" && !this.hasEnded) return { type: "text" };
    const isOwn = family === "own";
    const { written } = this;
    const name = written ? written.name : this.opener.name;
    const tool = name === undefined ? undefined : options.resolve(name);
    if (written?.name !== undefined && !isOwn) {
      if (options.isQuotation(tool?.name ?? written.name, canonicalJson(written.arguments)))
        return { type: "text" };
    }
    const isMarkup = isOwn || isNative(family);
    if (!isMarkup && (!written || !tool)) return { type: "text" };
    if (!written) return { type: "invalid", name, problem: unparsable(name) };
    if (!tool) return { type: "invalid", name, problem: unknownTool(name) };
    return toCall(written, tool);
  }
}

/** Kimi's own tokens belong in no text. */
export function isNative(family: CallFamily): boolean {
  return family === "k2" || family === "k3";
}

function closerOf(family: CallFamily, word: string): string {
  switch (family) {
    case "own":
      return `</call-${word}>`;
    case "tool-call-tag":
      return "</tool_call>";
    case "tool-tag":
      return "</tool>";
    case "k2":
      return "<|tool_call_end|>";
    case "k3":
    case "function-calls":
    case "functions-line":
      return "";
  }
}

function createReader({ body, family }: Opener, closer: string): CallReader {
  if (body === "parameters") return new ParameterReader(family === "k3" ? k3Parameters : invokeParameters);
  return body === "other" ? new UnreadableBodyReader(closer) : new JsonBodyReader(closer);
}

function fromJson(body: string, opener: Opener, closer: string): WrittenCall | undefined {
  const json = readJsonText(body, closer);
  if (!json) return opener.body === "arguments" ? fromNested(opener.name, body) : undefined;
  const repairs: CallRepair[] = json.isRepaired ? ["json"] : [];
  if (opener.body === "arguments")
    return { name: opener.name, arguments: json.value, text: json.text, repairs };
  const name = asText(json.value.name);
  const key = argumentKeys.find((each) => each in json.value);
  const value = key === undefined ? undefined : json.value[key];
  if (key !== undefined && isObject(value))
    return { name, arguments: value, text: propertyText(json, key), repairs };
  if (typeof value !== "string" || value === "")
    return Array.isArray(value) ? undefined : { name, arguments: {}, text: "{}", repairs };
  const nested = parseObject(value);
  return nested && { name, arguments: nested, text: value, repairs: [...repairs, "nested-json"] };
}

/** The arguments as a string that holds their JSON. */
function fromNested(name: string | undefined, body: string): WrittenCall | undefined {
  const text = asText(parseObject(`{"text":${body}}`)?.text);
  const nested = text === undefined ? undefined : parseObject(text);
  return nested && { name, arguments: nested, text, repairs: ["nested-json"] };
}

function fromParameters(name: string | undefined, parameters: readonly WrittenParameter[]): WrittenCall {
  const values = parameters.map(({ key, type, text }) => [key, parameterValue(type, text)]);
  return { name, arguments: Object.fromEntries(values), text: undefined, repairs: [] };
}

function parameterValue(type: string | undefined, text: string): unknown {
  if (type === undefined || type === "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function toCall(written: WrittenCall, tool: Tool): CallContent {
  const validated = validateArguments(tool, written.arguments);
  if ("problem" in validated) {
    const problem: InvalidCall = {
      kind: "schema",
      message: `The arguments of ${tool.name} do not fit its parameters: ${validated.problem}.`,
    };
    return { type: "invalid", name: tool.name, problem };
  }
  const asWritten = validated.isCoerced ? undefined : written.text;
  const json = asWritten ?? JSON.stringify(validated.value);
  // Marked parameters have no types of their own: to give them some repairs nothing.
  const isRepair = validated.isCoerced && written.text !== undefined;
  return {
    type: "call",
    tool,
    arguments: unescapeMarkup(json, "json"),
    repairs: isRepair ? [...written.repairs, "types"] : written.repairs,
  };
}

function unparsable(name: string | undefined): InvalidCall {
  const subject = name === undefined ? "The call" : `The call of ${name}`;
  return { kind: "unparsable", message: `${subject} is not valid JSON.` };
}

function unknownTool(name: string | undefined): InvalidCall {
  const message = name === undefined ? "The call has no name." : `There is no function “${name}”.`;
  return { kind: "unknown-tool", message };
}
