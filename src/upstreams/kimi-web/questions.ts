import { asText, type JsonObject, objectsIn, parseObject } from "../../lib/json.js";

/** The name of the tool by which Kimi asks back (kimi-web.md §3, §6). */
export const askUserTool = "ask_user";

/**
 * The questions in the arguments of `ask_user` as Markdown: each a paragraph with its options as a list. Undefined if the
 * arguments are incomplete, or have no question.
 */
export function questionsText(args: string): string | undefined {
  const questions = objectsIn(parseObject(args)?.questions).flatMap((question) => questionText(question));
  return questions.length > 0 ? questions.join("\n\n") : undefined;
}

function questionText({ question, type, options }: JsonObject): string[] {
  const text = asText(question);
  if (!text) return [];
  const hint = type === "multi" ? " (可多选 / several possible)" : "";
  const lines = (Array.isArray(options) ? options : []).flatMap(optionLine);
  return [lines.length > 0 ? `${text}${hint}\n\n${lines.join("\n")}` : text + hint];
}

function optionLine(value: unknown): string[] {
  if (typeof value === "string") return [`- ${value}`];
  const [option] = objectsIn([value]);
  const name = asText(option?.option);
  if (!option || !name) return [];
  const description = asText(option.description);
  const recommended = option.recommended === true ? " (推荐 / recommended)" : "";
  return [`- ${name}${description ? `: ${description}` : ""}${recommended}`];
}
