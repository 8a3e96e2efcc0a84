import { readFileSync } from "node:fs";

/** A form in which Kimi sends an answer: where it is described, its grade there, and what a client must get of it. */
export type FrameForm = {
  /** The name of the recording in `test/fixtures/frame-forms`. */
  name: string;
  /** The section of kimi-web.md and the source in it. */
  source: string;
  /** How sure it is: CAP, LIVE, CODE or GUESS, or the letter of kimi-web.md §6. */
  grade: string;
  answer: FormAnswer;
  /** What a client gets that does not stream, where that differs. */
  whole?: FormAnswer;
  /** Names of the protocol drift, in any order; default none. */
  drift?: string[];
  /**
   * By default the next turn is sent; it goes on in the chat after every answer that ends with `stop` or `length`.
   * "not sent": the message was sent again already, so that the recording of the next turn is its answer, or the account has
   * to wait.
   */
  next?: "not sent";
};

export type FormAnswer =
  | {
      text: string;
      reasoning?: string;
      finish?: string;
      /** Of each annotation the number of characters before it and its address. */
      cites?: [start: number, url: string][];
      notices?: string[];
    }
  | { error: string };

/** What the recording of a second turn says. */
export const nextText = "Next.";

const page = (number: number) => `https://example.org/${number}`;
const link = (number: number, source = number) => `[${number}](${page(source)})`;
const footer = (...sources: number[]) =>
  `\n\n**参考 / Sources**\n\n${sources.map((source, index) => `${index + 1}. [Page ${source}](${page(source)})`).join("\n")}`;
const hi = { text: "Hi" };
const afterRetry: FormAnswer = { text: nextText };

export const frameForms: FrameForm[] = [
  // kimi-web.md §2.5
  { name: "plain", source: "§2.5 S2, §5.1", grade: "CAP", answer: { text: "Hi there" } },
  { name: "chat-without-mask", source: "§2.5 S3 S4 S21, §4 #1", grade: "LIVE", answer: hi },
  { name: "chat-only-in-last-request", source: "§2.5 S2, §4 #1", grade: "CAP", answer: hi },
  { name: "chat-name-without-id", source: "§2.5 S1 S19", grade: "CAP", answer: { text: "Hi there" } },
  { name: "chat-files", source: "§2.5 §2.8 S3, §5.8", grade: "CAP", answer: { text: "A picture." } },
  { name: "system-message", source: "§2.5 S10, §6 #15", grade: "CAP", answer: hi },
  {
    name: "chat-and-message-in-one-event",
    source: "§2.5, masks are comma-joined",
    grade: "GUESS",
    answer: hi,
  },
  {
    name: "stages-and-thinking",
    source: "§2.5 S2, §5.2",
    grade: "CAP",
    answer: { text: "4", reasoning: "Simple." },
  },
  {
    name: "unknown-stage",
    source: "§2.5 S10",
    grade: "GUESS",
    answer: hi,
    drift: ["stage DAYDREAMING", "stage DRIFTING"],
  },
  {
    name: "summary-and-tips",
    source: "§2.5 S2",
    grade: "CAP",
    answer: { text: "Hi", reasoning: "Hm" },
    drift: ["field block.text.tips", "field block.think.summary"],
  },
  { name: "growing-snapshots", source: "§2.5 S19 S9", grade: "CODE", answer: { text: "Hello." } },
  { name: "set-without-mask", source: "§2.5", grade: "LIVE", answer: { text: "Hello there" } },
  {
    name: "replaced-block",
    source: "§2.5 S6 S35: set replaces",
    grade: "LIVE",
    answer: { text: "Right answer indeed." },
    drift: ["rewrite text"],
  },
  {
    name: "search-as-tool",
    source: "§2.5 §2.6 S4 S1, §5.3",
    grade: "CAP",
    answer: { text: `K3 is a model ${link(1)}.${footer(1)}`, cites: [[0, page(1)]] },
  },
  {
    name: "tool-contents-appended",
    source: "§2.5 S9",
    grade: "CODE",
    answer: {
      text: `Both. ${link(1)} ${link(2)}${footer(1, 2)}`,
      cites: [
        [0, page(1)],
        [0, page(2)],
      ],
    },
  },
  {
    name: "two-rounds",
    source: "§2.5, after a tool round",
    grade: "LIVE",
    answer: { text: "Let me see.\n\nDone.", reasoning: "First.\n\nSecond." },
  },
  {
    name: "search-block",
    source: "§2.5 S20 S19",
    grade: "LIVE",
    answer: { text: `Found.${footer(1)}`, cites: [[6, page(1)]] },
  },
  {
    name: "ref-container",
    source: "§2.5 S20; its fields are a guess",
    grade: "GUESS",
    answer: { text: `Found.${footer(1)}`, cites: [[6, page(1)]] },
  },
  {
    name: "notification",
    source: "§2.5 S2 S24",
    grade: "CAP",
    answer: { ...hi, notices: ["model_degrade"] },
  },
  { name: "empty-trailer", source: "§2.5", grade: "CODE", answer: hi },
  { name: "no-trailer", source: "§2.5", grade: "CODE", answer: hi, drift: ["frame no-trailer"] },
  { name: "no-trailer-and-cut", source: "§2.5", grade: "GUESS", answer: { error: "upstream_cut" } },
  { name: "no-trailer-and-not-done", source: "§2.5", grade: "GUESS", answer: { error: "upstream_cut" } },
  { name: "done-without-status", source: "§2.5 S7 S14", grade: "LIVE", answer: hi },
  { name: "status-without-done", source: "§2.5", grade: "GUESS", answer: hi },
  { name: "numbered-enums", source: "§2.5 S10", grade: "CAP", answer: hi },
  { name: "status-truncated", source: "§2.5 S10", grade: "CAP", answer: { ...hi, finish: "length" } },
  { name: "status-cancelled", source: "§2.7 S10", grade: "CAP", answer: { error: "upstream_cut" } },
  { name: "status-error", source: "§2.5 S10", grade: "CAP", answer: { error: "upstream_unavailable" } },
  { name: "blocks-in-message", source: "§2.5 S10", grade: "GUESS", answer: { text: "Hi, whole." } },
  { name: "compressed-frames", source: "§2.1, §4 #9", grade: "GUESS", answer: hi },
  { name: "references", source: "§2.5 S10", grade: "CAP", answer: hi, drift: ["field message.references"] },
  // Recorded from the simulator with its fault `unknown`.
  {
    name: "hologram",
    source: "§2.5, made up",
    grade: "GUESS",
    answer: { text: "0 0 0 0 0 0 0 0 0 00 00 00 ", notices: ["confetti"] },
    drift: [
      "op shuffle",
      "field message.aura",
      "container constellation",
      "block hologram",
      "stage DAYDREAMING",
      "stage DRIFTING",
      "field block.tool.contents.hologram",
      "status PONDERING",
      "notification CONFETTI",
    ],
  },
  // kimi-web.md §2.6
  {
    name: "bracket-marks",
    source: "§2.6 S18",
    grade: "LIVE",
    answer: { text: `The moon is far ${link(1, 2)} away.${footer(2)}`, cites: [[0, page(2)]] },
  },
  {
    name: "bracket-marks-before-their-chunks",
    source: "§2.6 S18 S19",
    grade: "LIVE",
    answer: {
      text: `The moon is far. It is old.${footer(1, 2)}`,
      cites: [
        [15, page(1)],
        [26, page(2)],
      ],
    },
    whole: {
      text: `The moon is far ${link(1)}. It is old ${link(2)}.${footer(1, 2)}`,
      cites: [
        [0, page(1)],
        [44, page(2)],
      ],
    },
  },
  {
    name: "source-after-its-mark",
    source: "§2.6 S1",
    grade: "LIVE",
    answer: { text: `The moon is far.${footer(1)}`, cites: [[15, page(1)]] },
    whole: { text: `The moon is far ${link(1)}.${footer(1)}`, cites: [[0, page(1)]] },
  },
  {
    name: "reference-without-mark",
    source: "§2.6 S4",
    grade: "CAP",
    answer: {
      text: `The moon is far ${link(1, 2)}. Say web_search:9#9.${footer(2)}`,
      cites: [[0, page(2)]],
    },
  },
  {
    name: "marks-with-emoji-separators",
    source: "§2.6 S4",
    grade: "CAP",
    answer: {
      text: `${link(1)} Far ${link(2)} and ${link(1)} old.${footer(1, 2)}`,
      cites: [
        [0, page(1)],
        [27, page(2)],
        [58, page(1)],
      ],
    },
  },
  {
    name: "mark-without-source",
    source: "§2.6 S1",
    grade: "LIVE",
    answer: { text: "Far away." },
    drift: ["citation unknown-reference"],
  },
  { name: "other-private-use", source: "§2.6 S10", grade: "LIVE", answer: { text: "far away" } },
  // kimi-web.md §2.9
  {
    name: "trailer-overload-after-done",
    source: "§2.9 S7 S15, §5.6, §6 #19",
    grade: "LIVE",
    answer: { error: "upstream_overloaded" },
  },
  { name: "trailer-paywall", source: "§2.9 S7 S23", grade: "CAP", answer: { error: "insufficient_quota" } },
  {
    name: "trailer-debug-under-error",
    source: "§2.9 S13",
    grade: "CODE",
    answer: { error: "rate_limit_exceeded" },
    next: "not sent",
  },
  {
    name: "trailer-login-required",
    source: "§2.9",
    grade: "LIVE",
    answer: { error: "account_login_required" },
  },
  {
    name: "trailer-invalid-argument",
    source: "§2.9 S1",
    grade: "LIVE",
    answer: { error: "upstream_protocol" },
  },
  { name: "trailer-unavailable", source: "§2.9", grade: "LIVE", answer: { error: "upstream_overloaded" } },
  { name: "trailer-deadline-exceeded", source: "§2.9", grade: "LIVE", answer: { error: "timeout" } },
  { name: "trailer-not-found", source: "§2.9", grade: "LIVE", answer: { error: "not_found" } },
  {
    name: "trailer-failed-precondition",
    source: "§2.9",
    grade: "LIVE",
    answer: { error: "upstream_unavailable" },
  },
  {
    name: "trailer-internal",
    source: "§2.9",
    grade: "LIVE",
    answer: { error: "upstream_unavailable" },
    drift: ["code internal"],
  },
  { name: "trailer-canceled", source: "§2.9", grade: "LIVE", answer: { error: "upstream_cut" } },
  {
    name: "trailer-expired",
    source: "§2.9 S1 S6, §5.5",
    grade: "LIVE",
    answer: afterRetry,
    next: "not sent",
  },
  {
    name: "error-in-data-frame",
    source: "§2.9",
    grade: "CODE",
    answer: { error: "upstream_overloaded" },
    drift: ["frame error"],
  },
  {
    name: "bare-error-in-data-frame",
    source: "§2.9",
    grade: "GUESS",
    answer: { error: "insufficient_quota" },
    drift: ["frame error"],
  },
  {
    name: "exception-overload",
    source: "§2.9 S16, §5.6",
    grade: "CAP",
    answer: { error: "upstream_overloaded" },
  },
  {
    name: "exception-then-answer",
    source: "§2.9 S10",
    grade: "CAP",
    answer: { text: "A whole answer.", notices: ["COMPLETION_OVERLOADED"] },
  },
  {
    name: "exception-retracts-its-text-block",
    source: "§2.9 S10",
    grade: "GUESS",
    answer: { text: "A whole answer.", notices: ["LLM_UNAVAILABLE"] },
  },
  {
    name: "exception-info",
    source: "§2.9 S10",
    grade: "CAP",
    answer: { ...hi, notices: ["REQUEST_ERROR"] },
  },
  {
    name: "exception-numbers",
    source: "§2.9 S10",
    grade: "CAP",
    answer: { error: "context_length_exceeded" },
  },
  { name: "error-block", source: "§2.5 S10", grade: "CAP", answer: { error: "upstream_unavailable" } },
  {
    name: "moderation",
    source: "§2.9 S16 S10, §5.7",
    grade: "GUESS",
    answer: { text: "I can", finish: "content_filter", notices: ["content_filter"] },
    whole: { text: "", finish: "content_filter", notices: ["content_filter"] },
  },
  // kimi-web.md §6
  { name: "news-01-chat-in-progress", source: "§6 #1", grade: "L", answer: { error: "chat_busy" } },
  {
    name: "news-10-token-ends-in-answer",
    source: "§6 #10",
    grade: "L",
    answer: { error: "upstream_cut" },
    whole: afterRetry,
    next: "not sent",
  },
  {
    name: "news-12-too-long-as-info",
    source: "§6 #12",
    grade: "L",
    answer: { error: "context_length_exceeded" },
  },
  {
    name: "news-16-chunk-without-base",
    source: "§6 #16",
    grade: "C",
    answer: { text: `Hi${footer(2)}`, cites: [[2, page(2)]] },
    drift: ["source without-address", "source lookup-failed"],
  },
  {
    name: "news-16-external-tool-block",
    source: "§6 #16",
    grade: "C",
    answer: hi,
    drift: ["source external-tool-block", "source lookup-failed"],
  },
  {
    name: "news-17-images",
    source: "§6 #17",
    grade: "C",
    answer: { text: "Made.\n\n[A \\[red\\] moon](https://example.org/f.png)" },
  },
  {
    name: "news-17-sandbox-files",
    source: "§6 #17",
    grade: "C",
    answer: { text: "Made.\n\n[report.pdf](https://example.org/report.pdf)\n\n/mnt/agents/b.txt" },
  },
  {
    name: "news-17-artifact",
    source: "§6 #17",
    grade: "C",
    answer: { text: 'moon.py\n\n```\nprint("moon")\n```' },
  },
  {
    name: "news-17-aippt",
    source: "§6 #17",
    grade: "C",
    answer: {
      text: "[The Moon (PPT)](https://example.org/moon.pptx)\n\n[The Moon (PDF)](https://example.org/moon.pdf)",
    },
  },
  {
    name: "news-17-slides-view",
    source: "§6 #17",
    grade: "C",
    answer: { text: "[The Moon](https://example.org/s1.json)" },
  },
  {
    name: "news-17-memory-and-explorer",
    source: "§6 #17",
    grade: "C",
    answer: { text: "Noted." },
    drift: ["block memory", "block explorerResearch"],
  },
  { name: "news-18-page-json", source: "§6 #18", grade: "L", answer: { text: "Hi there" } },
  {
    name: "ask-user",
    source: "§3 S6, §6",
    grade: "LIVE",
    answer: {
      text:
        "Which moon?\n\n- Ours: the near one (推荐 / recommended)\n- Europa\n\n" +
        "Which years? (可多选 / several possible)\n\n- 1969\n- 1972",
    },
  },
  {
    name: "ask-user-with-open-stream",
    source: "§6",
    grade: "L",
    answer: {
      text:
        "I need to know.\n\nWhich moon?\n\n- Ours: the near one (推荐 / recommended)\n- Europa\n\n" +
        "Which years? (可多选 / several possible)\n\n- 1969\n- 1972",
    },
  },
];

/** The content of a recording in `test/fixtures/frame-forms`. */
export function readForm(name: string): string {
  return readFileSync(new URL(`../../fixtures/frame-forms/${name}.jsonl`, import.meta.url), "utf8");
}

/** The ids of the chat and of the answer in a recording; undefined where there is none. */
export function readIds(recording: string): { chat: string | undefined; answer: string | undefined } {
  const id = '"id":"([^"]+)"';
  const chat = new RegExp(`"(?:chat":|case":"chat","value":)\\{(?:"\\$typeName":"[^"]*",)?${id}`);
  const answer = new RegExp(`${id}(?:,"parentId":"[^"]*")?,"role":(?:"assistant"|3)`);
  return { chat: chat.exec(recording)?.[1], answer: answer.exec(recording)?.[1] };
}
