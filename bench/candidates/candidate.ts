import { accessToken } from "../answers/tokens.js";
import type { Child } from "../child.js";
import type { BenchEnvironment } from "../environment.js";
import type { Target } from "../load/load-profile.js";

/** A gateway or proxy between client and upstream that is measured and compared with others. */
export type Candidate = {
  /** The name in the tables. */
  name: string;
  /** Throws CandidateUnavailable if it cannot run on this machine or in this version. */
  start(environment: BenchEnvironment): Promise<RunningCandidate>;
};

/** A started candidate and how to send requests to it. */
export type RunningCandidate = {
  /** Undefined if there is no process between client and upstream. */
  child: Child | undefined;
  /** Whether the process handles `startMeasuring` and `report` (gateway-preload.ts). */
  reportsEventLoop: boolean;
  /** Where streamed answers are requested. */
  streaming: Target;
  /** Where answers that are not streamed are requested; undefined if the candidate has none. */
  nonStreaming: Target | undefined;
};

/** A candidate cannot run on this machine or in this version; the message is the reason, for a note below the table. */
export class CandidateUnavailable extends Error {}

/** Requests in the protocol of Kimi's web chat, which the fake upstream answers and a relay forwards unchanged. */
export function upstreamTarget(port: number): Target {
  return {
    port,
    path: "/apiv2/kimi.gateway.chat.v1.ChatService/Chat",
    headers: { "content-type": "application/connect+json", authorization: `Bearer ${accessToken}` },
    body: ['{"message":{"role":"user","blocks":[{"message_id":"","text":{"content":"', '"}}]}}'],
    enveloped: true,
    responseFormat: { kind: "verbatim", protocol: "connect" },
  };
}
