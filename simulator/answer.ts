import { field, type JsonObject, list, object, text } from "./json.js";
import { type Directive, lastLine } from "./script.js";
import type { Source, Step } from "./steps.js";

/** What an answer is given to go by. */
export type Turn = {
  chatId: string;
  text: string;
  history: readonly { role: "user" | "assistant"; text: string }[];
  request: Record<string, unknown>;
};

const echoed = 120;
const mostRepeats = 100_000;
const mostRecalled = 1_000_000;

/** The steps of the answer where nobody scripted it otherwise. */
export function answer(turn: Turn, directives: readonly Directive[]): Step[] {
  const asks = (name: string) => directives.some((directive) => directive.name === name);
  const line = lastLine(turn.text);
  const chinese = isWide(line);
  const steps: Step[] = [];
  if (asks("think") || thinks(turn.request)) steps.push({ do: "think", content: thought(chinese) });
  const searched = asks("search") || (maySearch(turn.request) && wantsSearch(line));
  if (searched) steps.push(search(line, chinese));
  steps.push({ do: "text", content: told(turn, directives) ?? echo(turn, line, chinese) });
  if (searched) steps.push({ do: "text", content: citation(chinese) });
  if (turn.history.length === 0) steps.push({ do: "name" });
  return steps;
}

/** The pace a prompt asks for. */
export function slowed(directives: readonly Directive[]): number | undefined {
  const asked = Number(directives.find(({ name }) => name === "slow")?.value || Number.NaN);
  return Number.isFinite(asked) ? Math.min(60_000, Math.max(0, asked)) : undefined;
}

/** What a directive makes it say, if one does. */
function told(turn: Turn, directives: readonly Directive[]): string | string[] | undefined {
  for (const { name, value } of directives) {
    switch (name) {
      case "say":
        return value;
      case "recall":
        return recall(turn);
      case "repeat":
        return repeat(Number(value));
      case "unicode":
        return [...unicode];
    }
  }
  return undefined;
}

function echo(turn: Turn, line: string, chinese: boolean): string {
  const said = Array.from(line.replace(/^(user|system|assistant|tool [^:]*): /, ""))
    .slice(-echoed)
    .join("");
  const earlier = turn.history.filter(({ role }) => role === "user").length;
  if (chinese) {
    const count = earlier > 0 ? `这是本对话的第 ${earlier + 1} 轮。` : "";
    return `（模拟回答：未连接 Kimi 账号。）你说：“${said}”${count}`;
  }
  const count = earlier > 0 ? ` This is turn ${earlier + 1} of this chat.` : "";
  return `(Simulated answer: no Kimi account is connected.) You said: "${said}"${count}`;
}

/** One line for each earlier user text of this branch; a transcript counts with all lines but its last. */
function recall({ text, history }: Turn): string {
  const before = text.trimEnd().split(/\r?\n/).slice(0, -1).join("\n").trim();
  const earlier = history.filter(({ role }) => role === "user").map((message) => message.text);
  const lines = [...earlier, before]
    .filter((said) => said !== "")
    .map((said) => said.replace(/\s*\n\s*/g, " / "));
  return (lines.length > 0 ? lines.join("\n") : "(Simulated answer: nothing was said before.)").slice(
    -mostRecalled,
  );
}

function repeat(count: number): string[] {
  const times = Number.isFinite(count) ? Math.min(mostRepeats, Math.max(1, Math.floor(count))) : 1;
  return Array.from({ length: times }, (_, index) => `${index + 1} `);
}

/** What breaks careless readers, one trap a delta. */
const unicode = [
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

function thought(chinese: boolean): string {
  return chinese ? "（模拟）让我简单想一想这个问题。" : "(Simulated) Let me think about this for a moment.";
}

/** `thinking` with any effort but NONE (kimi-web.md §3). */
function thinks(request: JsonObject): boolean {
  const options = object(request.options);
  return options?.thinking === true && field(options, "reasoning_effort") !== "REASONING_EFFORT_NONE";
}

/** Declaring the tool, or the legacy flag, only permits the search (kimi-web.md §2.4, §1.4). */
function maySearch(request: JsonObject): boolean {
  if (request.use_search === true) return true;
  return list(request.tools).some((tool) => text(object(tool)?.type) === "TOOL_TYPE_SEARCH");
}

function wantsSearch(line: string): boolean {
  return /https?:\/\/|\b(search|news|weather|latest)\b|搜索|查一下|新闻|天气|最新/i.test(line);
}

function search(line: string, chinese: boolean): Step {
  const query = Array.from(line.replace(/(?<!\S)sim:\S+/g, "").trim())
    .slice(0, 60)
    .join("");
  return {
    do: "search",
    queries: [query || "simulated"],
    sources: chinese ? chineseSources : englishSources,
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

/** The marks of kimi-web.md §2.6, which the cutting into deltas spreads over frames. */
function citation(chinese: boolean): string {
  const mark = (index: number) => `\ue3a0cite\ue3a3web_search:1#${index}\ue3a8`;
  return chinese
    ? `来源是虚构的。${mark(0)}两个都是。${mark(1)}`
    : ` The sources are made up.${mark(0)} Both of them.${mark(1)}`;
}

function isWide(line: string): boolean {
  return /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(line);
}
