import { MarkerPattern, type PatternPart } from "./marker-pattern.js";

type Closer = readonly [MarkerPattern, "closer"];

function closer(...parts: PatternPart[]): Closer {
  return [new MarkerPattern(parts), "closer"];
}

/** What ends calls and sections of Kimi's own tokens, with what follows them in a wrongly decoded section of K3. */
export const nativeClosers: readonly Closer[] = [
  closer("<|tool_call_end|>"),
  closer("<|tool_call", { source: "s?" }, "_section_end|>"),
  closer("<|close|>call<|sep|>"),
  closer("<|close|>tools", { source: "[^<]{0,64}" }, "<|sep|>"),
];

/** What ends calls and sections in any family, and the end of a message. With another word our own closing tag is one, too. */
export const closers: readonly Closer[] = [
  closer("</call", { source: "[-a-z0-9_]{0,8}" }, ">"),
  closer("</tool_call>"),
  closer("</tool>"),
  closer("</invoke>"),
  closer("</function_calls>"),
  closer("</", { source: "[a-z][a-z0-9]{0,15}" }, ":", "invoke>"),
  closer("</", { source: "[a-z][a-z0-9]{0,15}" }, ":", "function_calls>"),
  closer("<|im_end|>"),
  ...nativeClosers,
];
