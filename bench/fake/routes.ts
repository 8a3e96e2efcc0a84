import type { ProtocolName } from "../answers/answer.js";
import { legacyId } from "../answers/legacy.js";
import { wholeOpenai } from "../answers/openai.js";
import { type Order, readOrder } from "../answers/order.js";
import { accessToken, refreshToken } from "../answers/tokens.js";

/** What the fake upstream replies to a request: JSON, or the stream that was ordered. */
export type Reply = { json: string } | { stream: ProtocolName; order: Order };

let chats = 0;

/** All three upstreams in one: their paths do not collide (kimi-web.md §1, §2; moonshot-platform.md A). */
export function replyTo(method: string, path: string, body: Buffer): Reply {
  if (path.endsWith("ChatService/Chat")) return { stream: "connect", order: readOrder(body) };
  if (path.endsWith("/completion/stream")) return { stream: "legacy", order: readOrder(body) };
  if (path === "/v1/chat/completions") {
    const order = readOrder(body);
    const streamed = /"stream": ?true/.test(body.toString("latin1"));
    return streamed ? { stream: "openai", order } : { json: wholeOpenai(order.deltas) };
  }
  if (path === "/api/chat" && method === "POST") return json({ id: legacyId(++chats, "c"), name: "…" });
  return json(fixed[path.split("?")[0]?.split("/").at(-1) ?? ""] ?? {});
}

/** Short calls, by the last part of their path. */
const fixed: Record<string, object> = {
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
  // A picture with a thumbnail can be used at once (kimi-web.md §2.8).
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

function json(value: object): Reply {
  return { json: JSON.stringify(value) };
}
