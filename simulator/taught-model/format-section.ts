import { type JsonObject, parseObject } from "../json.js";

/** The format that the end of a prompt asks for: JSON of a schema, or any JSON object. */
export type AskedFormat = { schema: JsonObject | undefined };

const maxHeaderCharacters = 400;
const correction = /\n+\(The program [^\n]*\)\s*$/;

/**
 * Separates the description of a format from a prompt: a last line that says that the answer is JSON and nothing else, or
 * such a line with a JSON Schema in the line below. `body`: the prompt in front of it, without a line in brackets that says
 * what was wrong with an answer.
 */
export function splitFormat(text: string): { body: string; format: AskedFormat | undefined } {
  const trimmed = text.trimEnd();
  const lastStart = trimmed.lastIndexOf("\n") + 1;
  const lastLine = trimmed.slice(lastStart);
  if (isHeader(lastLine)) return split(trimmed.slice(0, lastStart), undefined);
  const schema = lastStart > 0 && lastLine.startsWith("{") ? parseObject(lastLine) : undefined;
  if (!schema) return { body: text, format: undefined };
  const headerStart = trimmed.lastIndexOf("\n", lastStart - 2) + 1;
  const header = trimmed.slice(headerStart, lastStart - 1);
  return isHeader(header) ? split(trimmed.slice(0, headerStart), schema) : { body: text, format: undefined };
}

function isHeader(line: string): boolean {
  return (
    line.length <= maxHeaderCharacters &&
    /\bJSON\b/.test(line) &&
    /\bnothing else\b/i.test(line) &&
    /\bprogram\b/i.test(line) &&
    !line.includes("sim:")
  );
}

function split(front: string, schema: JsonObject | undefined): { body: string; format: AskedFormat } {
  return { body: front.trimEnd().replace(correction, ""), format: { schema } };
}
