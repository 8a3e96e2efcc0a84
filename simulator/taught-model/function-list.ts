import { asObject, type JsonObject, parseObject } from "../json.js";

/** A function as a prompt describes it. `schema` is the JSON Schema of its arguments; undefined where only the name is told. */
export type FunctionDescription = { name: string; description: string; schema: JsonObject | undefined };

/** The part of a prompt that describes functions. `end` is the index of the first line after it. */
export type FunctionList = { functions: FunctionDescription[]; end: number };

const bullet = "\\s*(?:[-*•]\\s+|\\d+[.)]\\s+)?";
const quote = "[`*\"']{0,3}";
const name = "([A-Za-z_][\\w.-]{0,127})";
const signature = "(?:\\s?\\([^()]*\\))?";
/** `### NAME`, alone on its line or with a description. */
const headingPattern = new RegExp(
  `^\\s*#{1,6}\\s+${quote}${name}${signature}${quote}(?:\\s*[–—:-]\\s*(.*))?$`,
);
/** `NAME – description`. */
const dashPattern = new RegExp(`^${bullet}${quote}${name}${quote}${signature}${quote}\\s+[–—]\\s*(.*)$`);
/** `NAME: description` or `NAME - description`, which also begins many a line of prose. */
const loosePattern = new RegExp(`^${bullet}${quote}${name}${quote}${signature}${quote}(?::|\\s-)\\s*(.*)$`);
/** `NAME(path, limit?)`. */
const signaturePattern = new RegExp(`^${bullet}${quote}${name}\\([^()]*\\)${quote}\\s*(?:[–—:-]\\s*(.*))?$`);

/** A call as the functions' section asks for it: a tag with a word of four characters. */
const callPattern = /<call-([a-z0-9]{4})>/;

/**
 * Reads the functions that a prompt describes: each has a line with its name, and a JSON Schema in one line behind that or
 * below it. Between the first of these and the line that shows the form of a call, a line may also have a name only. What
 * comes after that line is read only if there are no functions before it.
 */
export function readFunctionList(lines: readonly string[]): FunctionList {
  const form = lines.findIndex((line) => callPattern.test(line));
  const beforeForm = readFunctions(form < 0 ? lines : lines.slice(0, form), form >= 0);
  return beforeForm.functions.length > 0 ? beforeForm : readFunctions(lines, false);
}

function readFunctions(lines: readonly string[], hasForm: boolean): FunctionList {
  const functions = new Map<string, FunctionDescription>();
  let previous = -1;
  let end = 0;
  for (const [index, line] of lines.entries()) {
    const schema = findSchema(line);
    if (!schema) continue;
    const head = findHead(lines.slice(previous + 1, index), line.slice(0, schema.start));
    previous = index;
    if (!head) continue;
    functions.set(head.name, { ...head, schema: schema.schema });
    if (end === 0 && hasForm) addNameOnly(functions, lines.slice(index + 1));
    end = index + 1;
  }
  return { functions: [...functions.values()], end };
}

/** The word of the tag of calls; undefined if the text has none. The last line is asked first: it is a reminder of the form. */
export function findCallWord(text: string): string | undefined {
  const lastLine = text.trimEnd().split("\n").at(-1) ?? "";
  return (callPattern.exec(lastLine) ?? callPattern.exec(text))?.[1];
}

function addNameOnly(functions: Map<string, FunctionDescription>, lines: readonly string[]): void {
  for (const line of lines) {
    if (findSchema(line)) continue;
    const head = parseHead(line, [headingPattern, dashPattern, signaturePattern]);
    if (head && !functions.has(head.name)) functions.set(head.name, { ...head, schema: undefined });
  }
}

/** The JSON Schema of an object at the end of a line. */
function findSchema(line: string): { schema: JsonObject; start: number } | undefined {
  const text = line.replace(/[`\s]+$/, "");
  if (!text.endsWith("}") || text.includes("sim:")) return undefined;
  for (const { index } of text.matchAll(/\{\s*["}]/g)) {
    const schema = parseObject(text.slice(index));
    if (schema) return isSchema(schema) ? { schema, start: index } : undefined;
  }
  return undefined;
}

function isSchema(object: JsonObject): boolean {
  if ("name" in object && "arguments" in object) return false;
  const isEmpty = Object.keys(object).length === 0;
  return isEmpty || object.type === "object" || asObject(object.properties) !== undefined;
}

type Head = { name: string; description: string };

/** The name and description of the function to which a schema belongs. `beside` is what stands before the schema in its line. */
function findHead(above: readonly string[], beside: string): Head | undefined {
  if (beside.trim() !== "") {
    const head = parseHead(beside, [headingPattern, dashPattern, loosePattern, signaturePattern]);
    if (head && !/^(parameters|arguments|schema|input|input_schema|json)$/i.test(head.name)) return head;
  }
  for (const patterns of [[headingPattern], [dashPattern], [loosePattern, signaturePattern]]) {
    const line = above.findLast((candidate) => parseHead(candidate, patterns) !== undefined);
    const head = line === undefined ? undefined : parseHead(line, patterns);
    if (head) return head;
  }
  return undefined;
}

function parseHead(line: string, patterns: readonly RegExp[]): Head | undefined {
  for (const pattern of patterns) {
    const match = pattern.exec(line);
    if (match?.[1]) return { name: match[1], description: (match[2] ?? "").trim() };
  }
  return undefined;
}
