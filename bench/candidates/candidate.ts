import { accessToken } from "../answers/tokens.js";
import type { Child } from "../child.js";
import type { Target } from "../load/work.js";
import type { Stage } from "../stage.js";

/** Something that stands between a client and the upstream, to be compared with others. */
export type Candidate = {
  name: string;
  /** Throws Skipped where it cannot take part here. */
  start(stage: Stage): Promise<Running>;
};

export type Running = {
  /** Nothing where there is no process in between. */
  child: Child | undefined;
  /** Whether the process answers `watch` and `report` (gateway-preload.ts). */
  watched: boolean;
  /** Where streams are asked for, and answers in one piece; undefined where it has no such. */
  streams: Target;
  whole: Target | undefined;
};

/** Why a candidate cannot take part, as a sentence for its row. */
export class Skipped extends Error {}

/** What the upstream itself is asked for a stream of the web chat; relays pass it on as it is. */
export function upstreamTarget(port: number): Target {
  return {
    port,
    path: "/apiv2/kimi.gateway.chat.v1.ChatService/Chat",
    headers: { "content-type": "application/connect+json", authorization: `Bearer ${accessToken}` },
    body: ['{"message":{"role":"user","blocks":[{"message_id":"","text":{"content":"', '"}}]}}'],
    framed: true,
    reading: { kind: "verbatim", protocol: "connect" },
  };
}
