import { type Directive, lastLine } from "./directives.js";
import { toolTypeName } from "./enums.js";
import { asArray, asObject, getField, type JsonObject } from "./json.js";
import type { Source, SourcePlace, Step } from "./steps.js";

/**
 * The input of a script. `text` is what the user wrote, `history` the earlier messages of the branch, root first, `files`
 * the texts of the chat's text files, and `request` the request body as received.
 */
export type Turn = {
  chatId: string;
  text: string;
  history: readonly { role: "user" | "assistant"; text: string }[];
  files: readonly string[];
  request: Record<string, unknown>;
};

const maxEchoedCharacters = 120;
const maxRepeats = 100_000;
const maxRecalledCharacters = 1_000_000;
const maxSummaryCharacters = 6_000;
const maxSummaryLine = 160;

/**
 * The steps of an answer if the `script` option returns none: thinking, search and text, as request and directives ask.
 * A search is a round of its own: after it, thinking and text begin anew in further blocks (kimi-web.md §2.5). `prompt` is
 * the whole prompt, where the turn's text is a part of it, and `text` what it says where no directive asks for a text.
 */
export function defaultAnswer(
  turn: Turn,
  directives: readonly Directive[],
  { prompt = turn.text, text }: { prompt?: string; text?: string } = {},
): Step[] {
  const findDirective = (wanted: string) => directives.find(({ name }) => name === wanted);
  const line = lastLine(turn.text);
  const chinese = containsCjk(line);
  if (directives.length === 0 && asksForSummary(line)) return [{ do: "text", content: summaryText(turn) }];
  const steps: Step[] = [];
  const withThinking = findDirective("think") !== undefined || isThinkingRequested(turn.request);
  const search = findDirective("search");
  const withSearch = search !== undefined || (isSearchAllowed(turn.request) && needsSearch(line));
  if (withThinking) steps.push({ do: "think", content: thoughtText(chinese) });
  if (withSearch) {
    steps.push({ do: "text", content: beforeSearchText(chinese) });
    steps.push(searchStep(line, chinese, search?.value === "lazy" ? "tool-block" : "stream"));
    if (withThinking) steps.push({ do: "think", content: thoughtAfterSearchText(chinese) });
  }
  steps.push({
    do: "text",
    content: textByDirective(turn, directives, prompt) ?? text ?? echoText(turn, line, chinese),
  });
  if (withSearch) steps.push({ do: "text", content: citationText(chinese) });
  if (turn.history.length === 0) steps.push({ do: "name" });
  return steps;
}

/** Milliseconds between deltas from `sim:slow`, at most 60,000; undefined without the directive. */
export function requestedPace(directives: readonly Directive[]): number | undefined {
  const milliseconds = Number(directives.find(({ name }) => name === "slow")?.value || Number.NaN);
  return Number.isFinite(milliseconds) ? Math.min(60_000, Math.max(0, milliseconds)) : undefined;
}

/** The text by the first of the directives `say`, `recall`, `repeat` and `unicode`; undefined if there is none of them. */
function textByDirective(
  turn: Turn,
  directives: readonly Directive[],
  prompt: string,
): string | string[] | undefined {
  for (const { name, value } of directives) {
    switch (name) {
      case "say":
        return value;
      case "recall":
        return value === "" ? recallText(turn) : findLine({ ...turn, text: prompt }, value);
      case "repeat":
        return numbersUpTo(Number(value));
      case "unicode":
        return [...unicodeSamples];
    }
  }
  return undefined;
}

function echoText(turn: Turn, line: string, chinese: boolean): string {
  const quoted = Array.from(line.replace(/^(user|system|assistant|tool [^:]*): /, ""))
    .slice(-maxEchoedCharacters)
    .join("");
  const earlierTurns = turn.history.filter(({ role }) => role === "user").length;
  if (chinese) {
    const turnNote = earlierTurns > 0 ? `这是本对话的第 ${earlierTurns + 1} 轮。` : "";
    return `（模拟回答：未连接 Kimi 账号。）你说：“${quoted}”${turnNote}`;
  }
  const turnNote = earlierTurns > 0 ? ` This is turn ${earlierTurns + 1} of this chat.` : "";
  return `(Simulated answer: no Kimi account is connected.) You said: "${quoted}"${turnNote}`;
}

/** One line for each earlier user text of this branch, then the earlier lines of the current text, which may be a transcript. */
function recallText({ text, history }: Turn): string {
  const earlierLines = text.trimEnd().split(/\r?\n/).slice(0, -1).join("\n").trim();
  const userTexts = history.filter(({ role }) => role === "user").map((message) => message.text);
  const lines = [...userTexts, earlierLines]
    .filter((entry) => entry !== "")
    .map((entry) => entry.replace(/\s*\n\s*/g, " / "));
  return (lines.length > 0 ? lines.join("\n") : "(Simulated answer: nothing was said before.)").slice(
    -maxRecalledCharacters,
  );
}

const maxFoundCharacters = 500;

/** The first line that has the word: of the chat's files, of its earlier messages, of the prompt above its last line. */
function findLine({ text, history, files }: Turn, word: string): string {
  const spoken = history.map((message) => message.text);
  const end = text.lastIndexOf(`sim:recall=${word}`);
  for (const source of [...files, ...spoken, end === -1 ? text : text.slice(0, end)]) {
    const position = source.indexOf(word);
    if (position === -1) continue;
    const start = source.lastIndexOf("\n", position) + 1;
    const lineEnd = source.indexOf("\n", position);
    const from = Math.max(start, position - maxFoundCharacters);
    const to = Math.min(lineEnd === -1 ? source.length : lineEnd, position + maxFoundCharacters);
    return source.slice(from, to);
  }
  return `(Simulated answer: nothing here has “${word}”.)`;
}

/** The last line of a prompt with which a gateway, or an agent such as Codex, has a history replaced by its summary. */
function asksForSummary(line: string): boolean {
  return /\bnothing but the summary\b|\bhandoff summary\b|\bhelping the next (LLM|model)\b/i.test(line);
}

/** The beginnings of all lines that were said before, those with a number first. */
function summaryText(turn: Turn): string {
  const lines = [...turn.history.map(({ text }) => text), turn.text]
    .flatMap((text) => text.split(/\r?\n/))
    .slice(0, -1)
    .map((entry) => Array.from(entry.trim()).slice(0, maxSummaryLine).join(""))
    .filter((entry) => entry !== "");
  const hasNumber = (entry: string) => /\d{3}/.test(entry);
  const ordered = [...lines.filter(hasNumber), ...lines.filter((entry) => !hasNumber(entry))];
  return `(Simulated summary)\n${ordered.join("\n")}`.slice(0, maxSummaryCharacters);
}

function numbersUpTo(count: number): string[] {
  const limit = Number.isFinite(count) ? Math.min(maxRepeats, Math.max(1, Math.floor(count))) : 1;
  return Array.from({ length: limit }, (_, index) => `${index + 1} `);
}

/** Texts that clients often mishandle; each is sent as one delta. */
const unicodeSamples = [
  "中文。",
  "👩‍👩‍👧‍👦",
  "👍🏽",
  "𠮷",
  ' "quoted" ',
  "\\back\\slashes\\ ",
  "line\nbreaks\r\n",
  "NUL\u0000here ",
  "separators\u2028\u2029",
  "e\u0301 ",
  "مرحبا ",
  "</script>",
  "{}",
];

function thoughtText(chinese: boolean): string {
  return chinese ? "（模拟）让我简单想一想这个问题。" : "(Simulated) Let me think about this for a moment.";
}

function thoughtAfterSearchText(chinese: boolean): string {
  return chinese ? "（模拟）搜索结果里没有什么。" : "(Simulated) The results say nothing.";
}

/** The text of the round before the search. */
function beforeSearchText(chinese: boolean): string {
  return chinese ? "（模拟）我先搜索一下。" : "(Simulated) I will search first. ";
}

/** True if `thinking` is on and the effort is not NONE (kimi-web.md §3). */
function isThinkingRequested(request: JsonObject): boolean {
  const options = asObject(request.options);
  return options?.thinking === true && getField(options, "reasoning_effort") !== "REASONING_EFFORT_NONE";
}

/** True if the request permits a search by the tool or the legacy flag; neither of them forces one (kimi-web.md §2.4, §1.4). */
function isSearchAllowed(request: JsonObject): boolean {
  if (request.use_search === true) return true;
  return asArray(request.tools).some((tool) => toolTypeName(asObject(tool)?.type) === "TOOL_TYPE_SEARCH");
}

function needsSearch(line: string): boolean {
  return /https?:\/\/|\b(search|news|weather|latest)\b|搜索|查一下|新闻|天气|最新/i.test(line);
}

function searchStep(line: string, chinese: boolean, sourcesIn: SourcePlace): Step {
  const query = Array.from(line.replace(/(?<!\S)sim:\S+/g, "").trim())
    .slice(0, 60)
    .join("");
  return {
    do: "search",
    queries: [query || "simulated"],
    sources: chinese ? chineseSources : englishSources,
    sourcesIn,
  };
}

const englishSources: readonly Source[] = [
  {
    title: "A made-up page",
    url: "https://example.org/simulated",
    snippet: "Nothing was searched.",
    publishTime: "2026-11-01T00:00:00Z",
  },
  {
    title: "Another made-up page",
    url: "https://example.com/simulated",
    snippet: "Nothing was found either.",
  },
];

const chineseSources: readonly Source[] = [
  {
    title: "虚构页面",
    url: "https://example.org/simulated",
    snippet: "没有进行任何搜索。",
    publishTime: "2026-11-01T00:00:00Z",
  },
  { title: "另一个虚构页面", url: "https://example.com/simulated", snippet: "也没有找到任何内容。" },
];

/** Text with the citation marks of kimi-web.md §2.6; splitting it into deltas spreads a mark over several frames. */
function citationText(chinese: boolean): string {
  const citationMark = (index: number) => `\ue3a0cite\ue3a3web_search:1#${index}\ue3a8`;
  return chinese
    ? `来源是虚构的。${citationMark(0)}两个都是。${citationMark(1)}`
    : ` The sources are made up.${citationMark(0)} Both of them.${citationMark(1)}`;
}

function containsCjk(line: string): boolean {
  return /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(line);
}
