import type { Task } from "./tasks.js";
import type { ResultEntry } from "./taught-chat.js";

const maxQuotedCharacters = 300;

/** The answer after the last call: it quotes what was asked for from the results. */
export function answerFromResults(tasks: readonly Task[], results: readonly ResultEntry[]): string {
  const asked = tasks.find((task) => "question" in task && task.question !== "");
  if (asked && "question" in asked && results.length > 0) {
    const fact = quoteFact(asked.question, results.map(({ text }) => text).join("\n"));
    return `(Simulated) You asked for ${asked.question}: ${fact}`;
  }
  if (results.length === 0) return "(Simulated) I have no function for that.";
  const quotes = results.map(({ name, text }) => `${name || "the function"}: ${shorten(text)}`);
  return `(Simulated) Done. ${quotes.join("\n")}`;
}

/** The part of a text that a question such as “its first word” or “the port” is about. */
function quoteFact(question: string, text: string): string {
  const lines = contentLines(text);
  const [first = ""] = lines;
  if (/\bfirst word\b/i.test(question)) return first.trim().split(/\s+/)[0] ?? "";
  if (/\blast word\b/i.test(question)) return lines.at(-1)?.trim().split(/\s+/).at(-1) ?? "";
  if (/\bfirst line\b/i.test(question)) return first.trim();
  if (/\blast line\b/i.test(question)) return (lines.at(-1) ?? "").trim();
  if (/\bhow many lines\b|\bnumber of lines\b/i.test(question)) return String(lines.length);
  const wanted = wordsOf(question);
  const best = lines
    .map((line) => ({ line, hits: wordsOf(line).filter((word) => wanted.includes(word)).length }))
    .sort((a, b) => b.hits - a.hits)[0];
  return best && best.hits > 0 ? best.line.trim() : shorten(lines.join("\n"));
}

/** The lines of a result without the line numbers and the tags that agents put around a file. */
function contentLines(text: string): string[] {
  const lines = text.split("\n").map((line) => line.replace(/^\s*\d{1,6}(?:→|\t|\||:\s|\s*[|│]\s?)/, ""));
  return lines.filter((line) => line.trim() !== "" && !/^\s*<\/?[\w-]+[^>]*>\s*$/.test(line));
}

function wordsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{Letter}\p{Number}]{2,}/gu) ?? [];
  return words.filter(
    (word) => !["the", "its", "is", "of", "in", "what", "which", "that", "and"].includes(word),
  );
}

function shorten(text: string): string {
  const line = text.replace(/\s*\n\s*/g, " / ").trim();
  const characters = Array.from(line);
  return characters.length > maxQuotedCharacters
    ? `${characters.slice(0, maxQuotedCharacters).join("")}…`
    : line;
}
