import { any, type KnownPrompt, type PromptTemplate } from "./known-prompt.js";

const openCodeTitle: PromptTemplate = [
  "You are a title generator. You output ONLY a thread title. Nothing else.\n\n<task>\n",
  500,
  "</task>\n\n<rules>\n",
  2_500,
  "</rules>\n\n<examples>\n",
  1_000,
  "</examples>",
];

const qwenCodeStart =
  "You are now acting as the managed memory extraction subagent for an AI coding assistant.\n\n";
const qwenCodeRules = [
  "- Extract only durable facts stated by the user.\n- Ignore temporary, session-specific, speculative, or question content.\n",
  200,
  "- Use one of the allowed topics: user, feedback, project, reference.\n",
] as const;

/** opencode, 2025 to 2026, and qwen-code, 2026 (clients.md §2.7). */
export const codingAgents: readonly KnownPrompt[] = [
  { name: "opencode: title", place: "system", template: openCodeTitle },
  {
    name: "opencode: title (2025)",
    place: "system",
    template: [...openCodeTitle.slice(0, -1), "</examples>\n\nOutput the title now:"],
  },
  // qwen-code puts its own context and the person's memory after the prompt.
  {
    name: "qwen-code: memory extraction",
    place: "agent",
    template: [
      `${qwenCodeStart}The recent conversation history is already in your context.`,
      1_000,
      ...qwenCodeRules,
      any,
      "\nMemory file format reference:",
      any,
    ],
  },
  {
    name: "qwen-code: memory extraction (from a transcript)",
    place: "agent",
    template: [
      `${qwenCodeStart}Analyze the provided recent transcript slice`,
      1_000,
      ...qwenCodeRules,
      any,
      "\nMemory file format reference:",
      any,
    ],
  },
];
