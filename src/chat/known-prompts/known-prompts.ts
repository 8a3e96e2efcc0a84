import { cherryStudio } from "./cherry-studio.js";
import { codingAgents } from "./coding-agents.js";
import type { KnownPrompt } from "./known-prompt.js";
import { lobeChat } from "./lobechat.js";
import { nextChat } from "./nextchat.js";
import { openWebUi } from "./open-webui.js";

/** The prompts that clients send on the side: for titles, tags, questions, searches and their own memory. */
export const knownPrompts: readonly KnownPrompt[] = [
  ...openWebUi,
  ...lobeChat,
  ...nextChat,
  ...cherryStudio,
  ...codingAgents,
];
