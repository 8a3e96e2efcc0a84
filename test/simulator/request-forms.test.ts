import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, type Strictness, startSimulator, strictnessNames } from "../../simulator/index.js";
import { answerText, chatRequest, type Json, sendChat, toRecord, trailerOf, turnIds } from "./client.js";
import { callLegacy, createChat } from "./legacy-client.js";

// The forms of a Chat request in which clients work against the live site, each with its source in
// docs/protocol/kimi-web.md, and the refusals that some of them saw.

const text = "sim:say=fine";
const textBlock = { message_id: "", text: { content: text } };
const chatOptions = { thinking: false, enable_plugin: false, reasoning_effort: "REASONING_EFFORT_NONE" };

/** A request with exactly these fields besides the role and the text. */
function bare(top: Json, options: Json = {}, message: Json = {}): Json {
  return { ...top, message: { role: "user", blocks: [textBlock], ...message }, options };
}

const k2d5 = { scenario: "SCENARIO_K2D5" };
const chat = { scenario: "SCENARIO_CHAT" };
const agent = { scenario: "SCENARIO_OK_COMPUTER" };

const toolTypes = [
  ...["SEARCH", "IMAGE_GENERATION", "SEMANTIC_MEMORY", "AUDIO_GENERATION", "DEVICE_LBS", "DEVICE_TOOL"],
  ...["PARALLEL_AGENT", "ASK_USER", "CRON_JOB", "GOAL", "PARALLEL_AGENT_V2", "BANANA", "SLIDES_OUTLINE"],
];

const forms: [name: string, source: string, body: Json][] = [
  [
    "the site on 2026-09-15",
    "§2.4, S3 CAP",
    {
      ...chat,
      tools: [{ type: "TOOL_TYPE_SEARCH", search: {} }, { type: "TOOL_TYPE_CRON_JOB" }],
      message: { role: "user", blocks: [textBlock], ...chat, is_goal: false },
      options: {
        ...{ thinking: true, enable_plugin: true, reasoning_effort: "REASONING_EFFORT_LOW" },
        model: "k2d6-chat",
      },
      project_id: "",
    },
  ],
  [
    "the site on 2026-08-08, without a model",
    "§2.5, S2 CAP",
    {
      ...bare({ ...k2d5, tools: [{ type: "TOOL_TYPE_SEARCH", search: {} }] }, chatOptions, k2d5),
      chat_id: undefined,
    },
  ],
  ["camelCase names", "§2.4, S4", bare({ ...chat, chatId: "", projectId: "" }, {}, { parentId: "" })],
  ["an empty chat_id", "§2.4, S6 S9 S25 S30", bare({ ...chat, chat_id: "" })],
  ["an empty parent_id", "§2.4, S6 S9 S30", bare(chat, {}, { parent_id: "" })],
  ["both ids empty, without options.model", "§6 #25", bare({ ...chat, chat_id: "" }, {}, { parent_id: "" })],
  ["no message.scenario", "§6 #25", bare(chat, { model: "k2d6-chat" })],
  ["only message.scenario", "§2.4", bare({}, {}, chat)],
  ["another message.scenario", "§2.4", bare(chat, {}, k2d5)],
  ["an empty model and message.scenario", "§2.4", bare(chat, { model: "" }, { scenario: "" })],
  ["no options", "§2.4", { ...chat, message: { role: "user", blocks: [textBlock] } }],
  ["unknown fields", "§2.4, S4", bare({ ...chat, messages: [{ role: "user", content: "other" }] })],
  ["labels and references", "§2.4, S25", bare(chat, {}, { labels: [], references: [] })],
  ["an id chosen by the client", "§6 #11", bare(chat, {}, { id: "7d1c3c9e-0000-4000-8000-000000000001" })],
  [
    "a forced search",
    "§2.4, S9",
    bare({ ...chat, tools: [{ type: "TOOL_TYPE_SEARCH", search: { force: true } }] }),
  ],
  ...toolTypes.map((type): [string, string, Json] => [
    `the tool ${type}`,
    "§2.4, S4",
    bare({ ...chat, tools: [{ type: `TOOL_TYPE_${type}` }] }),
  ]),
  ["a tool type by number", "§2.4", bare({ ...chat, tools: [{ type: 6, name: "get_time" }] })],
  [
    "device tools with their schemas in the system prompt",
    "§6 #3 #4, §2.4 S15 S28",
    bare(
      {
        ...chat,
        tools: ["get_time", "read_file"].map((name) => ({ type: "TOOL_TYPE_DEVICE_TOOL", name })),
      },
      { systemPrompt: "You have two tools.", model: "k2d6-chat" },
    ),
  ],
  ["the extras of a mobile client", "§2.4, S28", bare(chat, { lbs: {}, voiceId: "", speed: 1, slides: {} })],
  ...["NONE", "LOW", "MEDIUM", "HIGH", "MAX"].map((effort): [string, string, Json] => [
    `the effort ${effort}`,
    "§2.4, §3",
    bare(chat, { thinking: true, reasoning_effort: `REASONING_EFFORT_${effort}` }),
  ]),
  ...["L", "XL"].map((length): [string, string, Json] => [
    `the context length ${length}`,
    "§2.4, §3",
    bare(agent, { model: "k3-agent", context_length: `CONTEXT_LENGTH_${length}` }),
  ]),
  ...["k2d6-chat", "k28-agent-preview", "k3-agent", "k3-agent-swarm"].map((model): [string, string, Json] => [
    `the id ${model}, whatever its scenario`,
    "§3, §6 #25",
    bare(chat, { model }),
  ]),
  ...["k2d6", "k2d6-thinking", "k2d6-agent", "k2d6-agent-ultra", "k28-preview", "k3", "k3-agent-ultra"].map(
    (model): [string, string, Json] => [`the key ${model}`, "§3, §6 #6", bare(agent, { model })],
  ),
  ...["CHAT", "OK_COMPUTER", "OK_COMPUTER_SWARM", "K3", "K2D5", "K2D6", "K2", "K1", "SEARCH", "RESEARCH"].map(
    (scenario): [string, string, Json] => [
      `SCENARIO_${scenario}`,
      "§3",
      bare({ scenario: `SCENARIO_${scenario}` }),
    ],
  ),
  ["a scenario by number", "§3, S25 S32", bare({ scenario: 13 }, {}, { scenario: 13, role: 2 })],
  ["the agent", "§3, S7 S8", bare({ ...agent, kimiplus_id: "ok-computer", agentMode: "TYPE_NORMAL" })],
  [
    "the catalogue's spelling of the agent",
    "§2.4, S7 S29 S31",
    bare({ ...agent, kimi_plus_id: "ok-computer" }),
  ],
  ["the swarm by options", "§2.4, S29", bare(agent, { agent_mode: "TYPE_ULTRA" })],
  [
    "the swarm by a tool",
    "§2.4, S7",
    bare({ ...agent, tools: [{ type: "TOOL_TYPE_PARALLEL_AGENT_V2" }], agentMode: "TYPE_ULTRA" }),
  ],
  ["K3's first request", "§2.4 S15, §6 #23", bare({ ...agent, chatId: "" }, { model: "k3-agent" })],
  [
    "deep research",
    "§3, §6",
    bare({ ...agent, kimiplus_id: "deep-researcher", tools: [{ type: "TOOL_TYPE_ASK_USER" }] }),
  ],
];

describe("accepts the request form", () => {
  let simulator: Simulator;
  let token: string;

  beforeAll(async () => {
    simulator = await startSimulator();
    token = simulator.issue().accessToken;
  });
  afterAll(() => simulator.close());

  test.each(forms)("%s (%s)", async (_name, _source, body) => {
    const frames = await sendChat(simulator, token, body);
    expect(trailerOf(frames)).toEqual({});
    expect(answerText(frames)).toBe("fine");
  });

  test("lastRequest echoes names for numbers, and leaves an empty list of tools out", async () => {
    const lastRequest = async (body: Json) => {
      const frames = await sendChat(simulator, token, body);
      const event = frames.find(({ json }) => json.mask === "chat.lastRequest");
      return toRecord(toRecord(event?.json.chat).lastRequest);
    };
    const numbers = bare({ scenario: 13, tools: [{ type: 1, search: {} }] }, { reasoning_effort: 2 });
    expect(await lastRequest(numbers)).toEqual({
      options: { reasoningEffort: 2 },
      tools: [{ type: "TOOL_TYPE_SEARCH", search: {} }],
      scenario: "SCENARIO_K3",
    });
    expect(await lastRequest(bare({ ...chat, tools: [] }))).toEqual({
      options: {},
      scenario: "SCENARIO_CHAT",
    });
  });

  /** The forms of a further turn, each built from the ids of the first. */
  test.each<[string, string, (ids: { chat: string; user: string; assistant: string }) => Json]>([
    [
      "after the answer",
      "§2.7, S1 S6 S8 S9",
      (ids) => bare({ ...chat, chat_id: ids.chat }, {}, { parent_id: ids.assistant }),
    ],
    [
      "after the user message",
      "§2.7, S12",
      (ids) => bare({ ...chat, chat_id: ids.chat }, {}, { parent_id: ids.user }),
    ],
    ["with the chat alone", "§2.4, S7 S21", (ids) => bare({ ...chat, chat_id: ids.chat })],
    ["with an empty parent", "§2.4", (ids) => bare({ ...chat, chat_id: ids.chat }, {}, { parent_id: "" })],
    [
      "with another model and scenario",
      "§6 #25",
      (ids) => bare({ ...agent, chat_id: ids.chat }, { model: "k3" }, { parent_id: ids.assistant }),
    ],
    [
      "an edit of the first message",
      "§2.7, S3 CAP",
      (ids) =>
        bare(
          { ...chat, chat_id: ids.chat },
          {},
          {
            ...{ id: ids.user, parent_id: ids.chat, children_message_ids: [ids.assistant] },
            ...{
              status: "MESSAGE_STATUS_COMPLETED",
              create_time: "2026-09-15T11:05:31.447522Z",
              is_goal: false,
            },
            blocks: [{ ...textBlock, message_id: ids.user }],
          },
        ),
    ],
    [
      "an id chosen by the client",
      "§6 #11",
      (ids) => bare({ ...chat, chat_id: ids.chat }, {}, { id: "7d1c3c9e-0000-4000-8000-000000000002" }),
    ],
  ])("a further turn: %s (%s)", async (_name, _source, toBody) => {
    const ids = turnIds(await sendChat(simulator, token, chatRequest("hello")));
    const frames = await sendChat(simulator, token, toBody(ids));
    expect(answerText(frames)).toBe("fine");
    expect(turnIds(frames).chat).toBe(ids.chat);
  });

  test("a turn of a chat that the legacy protocol made (§6 #7)", async () => {
    const legacyChat = await createChat(simulator, token);
    const body = bare({ ...chat, chat_id: legacyChat }, {}, { parentId: "" });
    const frames = await sendChat(simulator, token, body);
    expect(answerText(frames)).toBe("fine");
    expect(turnIds(frames).chat).toBe(legacyChat);
    const second = bare({ ...chat, chat_id: legacyChat }, {}, { parent_id: turnIds(frames).assistant });
    expect(trailerOf(await sendChat(simulator, token, second))).toEqual({});
    const { text: list } = await callLegacy(
      simulator,
      token,
      `POST /api/chat/${legacyChat}/segment/scroll`,
      {},
    );
    expect(list).toContain('"total":4');
  });
});

describe("with a strictness", () => {
  const refused: Record<Strictness, Json[]> = {
    model: [
      bare(chat),
      bare(chat, { model: "k2d6" }),
      bare(chat, { model: "k3-agent" }),
      bare(k2d5, { model: "k2d6-chat" }),
    ],
    "message-scenario": [bare(chat), bare(chat, {}, k2d5), bare({}, {}, chat)],
    "empty-chat-id": [bare({ ...chat, chat_id: "" }), bare({ ...chat, chatId: "" })],
    "missing-chat-id": [bare(agent), bare({ scenario: 13 })],
    "empty-parent-id": [bare(chat, {}, { parent_id: "" })],
    "numeric-enum": [
      bare({ scenario: 13 }),
      bare(chat, {}, { role: 2 }),
      bare({ ...chat, tools: [{ type: 1 }] }),
    ],
    "tool-type": [bare({ ...chat, tools: [{ type: "TOOL_TYPE_FUNCTION" }] }), bare({ ...chat, tools: [{}] })],
    "system-prompt": [bare(chat, { systemPrompt: "Be brief." })],
  };

  test.each(strictnessNames)("%s: refuses its forms, which are accepted without it", async (name) => {
    const strict = await startSimulator({ strictness: [name] });
    const lenient = await startSimulator();
    for (const body of refused[name]) {
      expect(trailerOf(await sendChat(strict, strict.issue().accessToken, body))).toMatchObject({
        error: { code: "invalid_argument" },
      });
      expect(trailerOf(await sendChat(lenient, lenient.issue().accessToken, body))).toEqual({});
    }
    const complete = chatRequest(text);
    expect(trailerOf(await sendChat(strict, strict.issue().accessToken, complete))).toEqual({});
    await Promise.all([strict.close(), lenient.close()]);
  });
});
