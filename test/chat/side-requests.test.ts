import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { any, type KnownPrompt, type PromptTemplate } from "../../src/chat/known-prompts/known-prompt.js";
import { knownPrompts } from "../../src/chat/known-prompts/known-prompts.js";
import { matchesTemplate, SideRequestMatcher } from "../../src/chat/side-requests.js";
import type { Message } from "../../src/core/types.js";
import { otherVersions, type SentMessage, sideRequests, trickyChat } from "./side-request-prompts.js";

const toMessage = ({ role, content }: SentMessage): Message => ({
  role,
  content: [{ type: "text", text: content }],
});
const asksForNothing = { asksForThinkingOrSearch: false };
const builtIn = new SideRequestMatcher();
const isSideRequest = (messages: readonly SentMessage[]) =>
  builtIn.isSideRequest({ messages: messages.map(toMessage) }, asksForNothing);

const user = (content: string): SentMessage => ({ role: "user", content });
const system = (content: string): SentMessage => ({ role: "system", content });
const assistant = (content: string): SentMessage => ({ role: "assistant", content });
const requestOf = (name: string): SentMessage[] => {
  const messages = sideRequests[name];
  if (!messages) throw new Error(`no request for “${name}”`);
  return messages;
};
const promptOf = (name: string): string => {
  const place = knownPrompts.find((prompt) => prompt.name === name)?.place;
  const messages = requestOf(name);
  const message = place === "system" || place === "agent" ? messages[0] : messages.at(-1);
  return message?.content ?? "";
};

describe("known prompts", () => {
  test("each has a request here, which its own template matches", () => {
    expect(Object.keys(sideRequests).toSorted()).toEqual(knownPrompts.map(({ name }) => name).toSorted());
    for (const { name, template } of knownPrompts)
      expect([name, matchesTemplate(promptOf(name).trim(), template)]).toEqual([name, true]);
  });

  test("fixed pieces alternate with gaps and begin the prompt", () => {
    for (const { template, user: userTemplate } of knownPrompts)
      for (const pieces of [template, userTemplate ?? [""]])
        pieces.forEach((piece, index) => {
          expect(typeof piece).toBe(index % 2 === 0 ? "string" : "number");
        });
  });

  test.each([...Object.entries(sideRequests), ...otherVersions])("%s", (_name, messages) => {
    expect(isSideRequest(messages)).toBe(true);
  });

  test("are recognised in text parts and with space around them", () => {
    const text = promptOf("Open WebUI: tags");
    const parts = ["\n ", text.slice(0, 100), text.slice(100), "\n\n"];
    const content = parts.map((part) => ({ type: "text" as const, text: part }));
    expect(builtIn.isSideRequest({ messages: [{ role: "user", content }] }, asksForNothing)).toBe(true);
  });

  test("are not what they were with a picture beside them", () => {
    const source = { kind: "link" as const, url: "https://example.org/a.png" };
    const content = [
      { type: "text" as const, text: promptOf("Open WebUI: tags") },
      { type: "image" as const, source, path: "messages[0].content[1]" },
    ];
    expect(builtIn.isSideRequest({ messages: [{ role: "user", content }] }, asksForNothing)).toBe(false);
  });
});

describe("a side request names neither a conversation nor thinking nor search", () => {
  test.each(Object.entries(sideRequests))("%s", (_name, sent) => {
    const messages = sent.map(toMessage);
    expect(builtIn.isSideRequest({ messages, conversation: "some-id" }, asksForNothing)).toBe(false);
    expect(builtIn.isSideRequest({ messages }, { asksForThinkingOrSearch: true })).toBe(false);
  });
});

describe("what people write is no side request", () => {
  const title = promptOf("Open WebUI: title");
  const topic = "使用四到五个字直接返回这句话的简要主题，不要解释、不要标点、不要语气词、不要多余文本";
  const lookAlikes: [name: string, messages: SentMessage[]][] = [
    ["a title for a novel", [user("### Task:\nGenerate a title for my novel about a lighthouse keeper.")]],
    [
      "a concise title, in Open WebUI's words",
      [user("### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.")],
    ],
    [
      "a title with guidelines of one's own",
      [
        user(
          "### Task:\nGenerate a concise title summarizing the chat history.\n### Guidelines:\n- Make it rhyme.\n### Output:\nOne line.\n### Chat History:\n<chat_history>\nAnna: hi\n</chat_history>",
        ),
      ],
    ],
    [
      "tags for a blog post",
      [
        user(
          "### Task:\nGenerate 1-3 broad tags categorizing the main themes of the chat history below, for my blog.",
        ),
      ],
    ],
    [
      "follow-up questions for an interview",
      [user("### Task:\nSuggest 3-5 relevant follow-up questions that I can ask the mayor in my interview.")],
    ],
    ["an analysis", [user("### Task:\nAnalyze the chat history to determine who lied to whom.")]],
    [
      "Open WebUI's answer with sources",
      [
        system(
          "### Task:\nRespond to the user query using the provided context, incorporating inline citations.",
        ),
        user("Who wrote it?"),
      ],
    ],
    [
      "an autocompletion system to build",
      [user("### Task:\nYou are an autocompletion system. Write me one.")],
    ],
    [
      "an emoji",
      [user("Your task is to reflect the speaker's likely facial expression. What does 🙃 mean?")],
    ],
    [
      "a list of tools",
      [system("Available Tools: hammer, saw."), user("Query: History:\nwho invented them?")],
    ],
    ["a summary in 200 words", [user("Summarize our discussion briefly in 200 words")]],
    [
      "a summary for later, asked by the user",
      [
        user("Let us plan a trip."),
        assistant("Where to?"),
        user("Summarize the discussion briefly in 200 words or less to use as a prompt for future context."),
      ],
    ],
    [
      "a summary for a colleague",
      [
        user("hi"),
        assistant("hello"),
        system("Summarize the discussion briefly in 200 words or less to use in a mail to Bob."),
      ],
    ],
    ["a podcast", [system("You are a title generator for my podcast about whales."), user("Episode 3")]],
    [
      "an assistant for titles",
      [
        system("You are a title generator. You output ONLY a thread title. Nothing else."),
        user("My thread about knitting"),
      ],
    ],
    [
      "a conversation summarizer of one's own",
      [
        system(
          "You are a professional conversation summarizer. Generate a concise title that captures the essence of the conversation, then a poem.",
        ),
        user("Anna: hi"),
      ],
    ],
    ["a question about a prompt", [user(`What does this prompt do?\n\n${title}`)]],
    ["a prompt and a question", [user(`${title}\n\nWhy does Open WebUI send this?`)]],
    ["a prompt in a fence", [user(`\`\`\`\n${title}\n\`\`\``)]],
    ["a prompt to translate", [user(`Translate into Chinese: ${promptOf("NextChat: topic (1)")}`)]],
    [
      "a prompt within a conversation",
      [user("I run Open WebUI."), assistant("Good."), user(promptOf("Open WebUI: title"))],
    ],
    [
      "a known system prompt that a person talks with",
      [...requestOf("LobeChat: title"), assistant("Moon phases"), user("Make it shorter.")],
    ],
    [
      "a known system prompt and more instructions",
      [system(`${promptOf("opencode: title")}\nAlso answer questions.`), user("What is a thread?")],
    ],
    [
      "a known system prompt beside another",
      [system("Be kind."), ...requestOf("Cherry Studio: title"), system("Be brief.")],
    ],
    ["a topic as the first message", [user(promptOf("NextChat: topic (2)"))]],
    [
      "a topic that the assistant is said to have written",
      [user("hi"), assistant(promptOf("NextChat: topic (2)"))],
    ],
    ["a topic and a question", [user("嗨"), assistant("你好"), user(`${topic}，如果没有主题，就写一首诗`)]],
    [
      "a topic, quoted",
      [user("嗨"), assistant("你好"), user(`“${promptOf("NextChat: topic (2)")}”是什么意思？`)],
    ],
    ["a title for a paper", [user("请将用户的会话总结为 10 个字以内的标题，用于我的论文")]],
    [
      "an assistant for titles, in Chinese",
      [
        system("你是一名擅长会话的助理，你需要将用户的会话总结为 10 个字以内的标题，然后写一首诗"),
        user("中秋节"),
      ],
    ],
    [
      "LobeChat's system prompt, with a question of one's own",
      [
        system("你是一名擅长会话的助理，你需要将用户的会话总结为 10 个字以内的标题"),
        user("月亮为什么发光？"),
      ],
    ],
    [
      "a summary, in Chinese",
      [user("嗨"), assistant("你好"), user("简要总结一下对话内容，控制在 200 字以内")],
    ],
    [
      "a summary to go on with, asked by the user in Chinese",
      [
        user("嗨"),
        assistant("你好"),
        user("简要总结一下对话内容，用作后续的上下文提示 prompt，控制在 200 字以内"),
      ],
    ],
    ["fewer words", [user("使用更多的字回答")]],
    ["a rephraser", [user("You are an AI question rephraser. Rephrase: why is the sky blue?")]],
    [
      "search words for a shop",
      [
        system("You are a search engine optimization expert. Your task is to improve my shop's texts."),
        user("Blue chairs"),
      ],
    ],
    [
      "memory extraction to build",
      [
        user(
          "You are now acting as the managed memory extraction subagent for an AI coding assistant. Write its code.",
        ),
      ],
    ],
    ["a chat that quotes many prompts", [user(trickyChat)]],
    ["nothing", []],
    ["an empty message", [user("")]],
  ];

  test.each(lookAlikes)("%s", (_name, messages) => {
    expect(isSideRequest(messages)).toBe(false);
  });
});

describe("any known prompt", () => {
  const chat = fc.oneof(fc.string({ unit: "grapheme", maxLength: 200 }), fc.constant(trickyChat));

  /** The request with the prompt's gaps filled in, at most as long as they may be. */
  function fill(template: PromptTemplate, filling: string): string {
    return template
      .map((piece) => {
        if (typeof piece === "string") return piece;
        return piece === any ? filling : "x".repeat(Math.min(piece, 1));
      })
      .join("");
  }

  function requestWith({ place, user: userTemplate }: KnownPrompt, prompt: string, filling: string) {
    const asked = user(userTemplate ? fill(userTemplate, filling) : filling);
    if (place === "only") return [user(prompt)];
    if (place === "closing") return [user("hi"), assistant("hello"), user(prompt)];
    if (place === "closing-system") return [user("hi"), assistant("hello"), system(prompt)];
    return [system(prompt), asked];
  }

  test("is recognised with any chat in its holes", () => {
    fc.assert(
      fc.property(fc.constantFrom(...knownPrompts), chat, (known, filling) => {
        const prompt = fill(known.template, filling);
        expect(isSideRequest(requestWith(known, prompt, filling))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("is not recognised with a change in a fixed piece", () => {
    fc.assert(
      fc.property(fc.constantFrom(...knownPrompts), fc.nat(), fc.nat(), (known, piece, offset) => {
        const fixed = known.template.flatMap((each, index) => (typeof each === "string" ? [index] : []));
        const changed = fixed[piece % fixed.length] ?? 0;
        const template = known.template.map((each, index) => {
          if (index !== changed || typeof each !== "string") return each;
          const at = offset % each.length;
          return `${each.slice(0, at)}\uE000${each.slice(at + 1)}`;
        });
        expect(isSideRequest(requestWith(known, fill(template, "hello"), "hello"))).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  test("is not recognised with words before it, or after it unless it ends with a hole", () => {
    for (const known of knownPrompts) {
      const prompt = fill(known.template, "hello");
      expect(isSideRequest(requestWith(known, `Explain: ${prompt}`, "hello"))).toBe(false);
      if (known.template.at(-1) === any) continue;
      expect([known.name, isSideRequest(requestWith(known, `${prompt}\nExplain this.`, "hello"))]).toEqual([
        known.name,
        false,
      ]);
    }
  });

  test("is told in time from a message of megabytes that is nearly it", () => {
    const megabytes = 8 * 1024 * 1024;
    for (const known of knownPrompts) {
      const repeated = known.template.find((piece) => typeof piece === "string" && piece !== "") as string;
      const filling = repeated.repeat(megabytes / repeated.length);
      const prompt = `${fill(known.template, filling)}\uE000`;
      const messages = requestWith(known, prompt, "hello").map(toMessage);
      const start = performance.now();
      builtIn.isSideRequest({ messages }, asksForNothing);
      expect(performance.now() - start).toBeLessThan(1_000);
    }
  });
});

describe("patterns of the configuration", () => {
  const matcher = new SideRequestMatcher(["^name this chat", "总结$"]);
  const matches = (messages: readonly SentMessage[], rest: { conversation?: string } = {}) =>
    matcher.isSideRequest({ messages: messages.map(toMessage), ...rest }, asksForNothing);

  test("are tested on the system messages and the last message, without regard to case", () => {
    expect(matches([user("NAME THIS CHAT: …")])).toBe(true);
    expect(matches([system("Name this chat."), user("hi"), assistant("hello"), user("more")])).toBe(true);
    expect(matches([user("hi"), assistant("hello"), user("请写一个总结")])).toBe(true);
    expect(matches([user("Name this chat"), assistant("Moon"), user("Thanks")])).toBe(false);
    expect(matches([user("hi"), assistant("Name this chat")])).toBe(false);
    expect(matches([user("Please name this chat")])).toBe(false);
  });

  test("are tested on the first 4,000 characters", () => {
    expect(matches([user(`${"a".repeat(3_998)}总结`)])).toBe(true);
    expect(matches([user(`${"a".repeat(4_000)}总结`)])).toBe(false);
  });

  test("do not match a request that names a conversation, or asks for thinking or search", () => {
    expect(matches([user("name this chat")], { conversation: "some-id" })).toBe(false);
    const messages = [toMessage(user("name this chat"))];
    expect(matcher.isSideRequest({ messages }, { asksForThinkingOrSearch: true })).toBe(false);
  });

  test("add to the known prompts", () => {
    expect(matches(requestOf("Open WebUI: title"))).toBe(true);
  });
});
