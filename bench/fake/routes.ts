import { type AnswerSpec, parseAnswerSpec } from "../answers/answer-spec.js";
import { legacyId } from "../answers/legacy.js";
import { openaiCompletion } from "../answers/openai.js";
import type { ContinuedChat, ProtocolName } from "../answers/protocol.js";
import { accessToken, refreshToken } from "../answers/tokens.js";

/** The response of the fake upstream: a JSON body, or the stream that the request specifies. */
export type FakeResponse =
  | { json: string }
  | { stream: ProtocolName; spec: AnswerSpec; continued?: ContinuedChat };

let chatCount = 0;

/**
 * The response to a request. The fake upstream imitates all three kinds of upstreams; their paths do not collide
 * (kimi-web.md §1, §2; moonshot-platform.md A). Throws if a request for an answer does not specify it.
 */
export function respondTo(method: string, path: string, body: Buffer): FakeResponse {
  if (path.endsWith("ChatService/Chat")) return connectResponse(body);
  if (path.endsWith("/completion/stream")) return { stream: "legacy", spec: parseAnswerSpec(body) };
  if (path === "/v1/chat/completions") {
    const spec = parseAnswerSpec(body);
    const streamed = /"stream": ?true/.test(body.toString("latin1"));
    return streamed ? { stream: "openai", spec } : { json: openaiCompletion(spec.deltas) };
  }
  if (path === "/api/chat" && method === "POST")
    return jsonResponse({ id: legacyId(++chatCount, "c"), name: "…" });
  return jsonResponse(staticResponses[path.split("?")[0]?.split("/").at(-1) ?? ""] ?? {});
}

/** Kimi echoes the chat and the parent of a request that continues one (kimi-web.md §2.5). */
function connectResponse(body: Buffer): FakeResponse {
  const response = { stream: "connect", spec: parseAnswerSpec(body) } as const;
  const [, chat] = /^.{5}\{"chat_id":"([^"]+)"/s.exec(body.toString("latin1", 0, 200)) ?? [];
  const [, parent] = /"parent_id":"([^"]+)"/.exec(body.toString("latin1", 0, 600)) ?? [];
  return chat === undefined || parent === undefined ? response : { ...response, continued: { chat, parent } };
}

/** JSON responses to all other calls, by the last segment of the path. */
const staticResponses: Record<string, object> = {
  GetAvailableModels: {
    defaultScenario: { scenario: "SCENARIO_CHAT", model: "k2d6-chat" },
    availableModels: [
      {
        id: "k2d6-chat",
        displayName: "Instant",
        scenario: "SCENARIO_CHAT",
        reasoningEffortOptions: [{ effort: "REASONING_EFFORT_NONE" }, { effort: "REASONING_EFFORT_LOW" }],
      },
    ],
  },
  // An uploaded image with a thumbnail can be used at once (kimi-web.md §2.8).
  upload: { file: { id: "file-of-the-bench", parseResult: { thumbnail: { url: "" } } } },
  refresh: { access_token: accessToken, refresh_token: refreshToken },
  RefreshToken: { accessToken, refreshToken },
  user: { id: legacyId(0, "u") },
  models: {
    object: "list",
    data: [
      {
        id: "kimi-k2.6",
        object: "model",
        created: 1_776_700_800,
        owned_by: "moonshot",
        context_length: 262_144,
        supports_image_in: true,
        supports_video_in: true,
        supports_reasoning: true,
      },
    ],
  },
};

function jsonResponse(value: object): FakeResponse {
  return { json: JSON.stringify(value) };
}
