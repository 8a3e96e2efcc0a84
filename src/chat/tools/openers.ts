import type { CallFamily } from "./call-pieces.js";
import { MarkerPattern, matchAny, type PatternPart } from "./marker-pattern.js";

/** Where in the text something stands. `isLineStart`: nothing but white space before it in its line. */
export type Place = { isLineStart: boolean; isQuoted: boolean; isInCode: boolean };

/**
 * The beginning of a call, up to its arguments. `length` in characters. `body`: what follows. `json`: an object with name and
 * arguments; `arguments`: the object of the arguments; `parameters`: marked parameters; `other`: nothing of these.
 */
export type Opener = {
  family: CallFamily;
  length: number;
  /** As the model wrote it; undefined where it stands in the body. */
  name: string | undefined;
  body: "json" | "arguments" | "parameters" | "other";
};

const space: PatternPart = { source: "[\\s\\uFEFF]{0,200}" };
const fence: readonly PatternPart[] = ["```", { source: "[a-z]{0,10}" }, space];
const namespace: readonly PatternPart[] = [{ source: "[a-z][a-z0-9]{0,15}" }, ":"];
const brace = "\\{";

type OpenerPattern = readonly [MarkerPattern, Pick<Opener, "family" | "body">];

/** Models also wrap the JSON into a code fence. */
function jsonOpeners(tag: string, family: CallFamily): OpenerPattern[] {
  return [
    [new MarkerPattern([tag, space], brace), { family, body: "json" }],
    [new MarkerPattern([tag, space, ...fence], brace), { family, body: "json" }],
  ];
}

function invokeOpeners(): OpenerPattern[] {
  const prefixes = [[], namespace];
  const invokes = prefixes.map((prefix): PatternPart[] => [
    "<",
    ...prefix,
    "invoke name=",
    { source: "[\"']" },
    { source: "(?<name>[^\"'<>]{1,128})" },
    { source: "[\"']" },
    { source: "\\s{0,8}" },
    ">",
  ]);
  const sections = prefixes.map((prefix): PatternPart[] => ["<", ...prefix, "function_calls>", space]);
  return [[], ...sections].flatMap((section) =>
    invokes.map(
      (invoke): OpenerPattern => [
        new MarkerPattern([...section, ...invoke]),
        { family: "function-calls", body: "parameters" },
      ],
    ),
  );
}

/** Also as observed: `section` in the singular, no section, no `functions.`, no `<|tool_call_argument_begin|>`. */
function k2Openers(): OpenerPattern[] {
  const section: PatternPart[] = ["<|tool_call", { source: "s?" }, "_section_begin|>", space];
  const call: PatternPart[] = [
    "<|tool_call_begin|>",
    space,
    { source: "(?<name>[^<>{}\\s\"']{0,128})" },
    space,
  ];
  const ends: [PatternPart[], string][] = [
    [["<|tool_call_argument_begin|>", space], "[^\\s\\uFEFF]"],
    [[], brace],
  ];
  return [[], section].flatMap((beginning) =>
    ends.map(
      ([end, followedBy]): OpenerPattern => [
        new MarkerPattern([...beginning, ...call, ...end], followedBy),
        { family: "k2", body: "arguments" },
      ],
    ),
  );
}

/** `<|sep|><|open|>` between the section and the call is lost where the tokens were decoded wrongly. */
function k3Openers(): OpenerPattern[] {
  const call: PatternPart[] = [
    'call tool="',
    { source: '(?<name>[^"<>]{1,128})' },
    '"',
    { source: "[^<]{0,64}" },
    "<|sep|>",
  ];
  const beginnings: PatternPart[][] = [
    ["<|open|>tools<|sep|>", space, "<|open|>"],
    ["<|open|>tools"],
    ["<|open|>"],
  ];
  return beginnings.map((beginning) => [
    new MarkerPattern([...beginning, ...call]),
    { family: "k3", body: "parameters" },
  ]);
}

const nativeOpeners: readonly OpenerPattern[] = [...k2Openers(), ...k3Openers()];
const foreignOpeners: readonly OpenerPattern[] = [
  ...jsonOpeners("<tool_call>", "tool-call-tag"),
  ...jsonOpeners("<tool>", "tool-tag"),
  ...invokeOpeners(),
  ...nativeOpeners,
];
const lineOpeners: readonly OpenerPattern[] = [
  [
    new MarkerPattern(
      ["functions.", { source: "(?<name>[\\w.-]{1,128})" }, ":", { source: "\\d{1,9}[ \\t]{0,8}" }],
      brace,
    ),
    { family: "functions-line", body: "arguments" },
  ],
];

/** The opener of what is no JSON in our own tag. */
function unreadableOpener(tag: string): OpenerPattern {
  return [new MarkerPattern([tag, space], "[^{`\\s\\uFEFF]"), { family: "own", body: "other" }];
}

/** Finds openers of calls in all families. */
export class OpenerFinder {
  readonly #ownJson: readonly OpenerPattern[];
  readonly #own: readonly OpenerPattern[];
  readonly #all: readonly OpenerPattern[];

  constructor(word: string) {
    const tag = `<call-${word}>`;
    this.#ownJson = jsonOpeners(tag, "own");
    this.#own = [...this.#ownJson, unreadableOpener(tag)];
    this.#all = [...this.#own, ...foreignOpeners];
  }

  /** The opener of a call in our own tag at this position. `partial`: with more text there may be one. */
  findOwn(text: string, position: number): Opener | "partial" | undefined {
    return findOpener(this.#own, text, position);
  }

  /** The same for calls that begin as JSON. */
  findOwnJson(text: string, position: number): Opener | "partial" | undefined {
    return findOpener(this.#ownJson, text, position);
  }

  /** In code and in quoted lines only our own tag opens a call. */
  find(text: string, position: number, place: Place): Opener | "partial" | undefined {
    const first = text.charAt(position);
    if (first === "f" || first === "F")
      return place.isLineStart ? findOpener(lineOpeners, text, position) : undefined;
    if (first !== "<" || !/[a-z|]|^$/i.test(text.charAt(position + 1))) return undefined;
    const openers = place.isInCode || place.isQuoted ? this.#own : this.#all;
    return findOpener(openers, text, position);
  }
}

/** The opener of a call in Kimi's own tokens at this position. */
export function findNativeOpener(text: string, position: number): Opener | "partial" | undefined {
  return text.charAt(position) === "<" ? findOpener(nativeOpeners, text, position) : undefined;
}

function findOpener(
  patterns: readonly OpenerPattern[],
  text: string,
  position: number,
): Opener | "partial" | undefined {
  const found = matchAny(patterns, text, position);
  if (!found || found === "partial") return found;
  const { match, value } = found;
  const end = position + match.length;
  if (text.charAt(end) === "{") {
    // JSON whose first quote is escaped stands in a string of other JSON.
    if (text.charAt(end + 1) === "\\") return undefined;
    if (end + 1 === text.length) return "partial";
  }
  return { ...value, length: match.length, name: match.groups.name?.replace(/:\d+$/, "") };
}
