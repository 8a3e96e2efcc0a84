import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { CallLogEntry } from "./call-log.js";
import type { ErrorFields } from "./errors.js";
import type { Fault } from "./faults.js";
import { HttpCall } from "./http-call.js";
import { Replay } from "./replay.js";
import { handleCall } from "./routes.js";
import { createState, type RefreshFault, type SimulatorOptions } from "./state.js";
import type { ToolFault } from "./taught-model/tool-faults.js";
import type { IssueOptions, TokenPair } from "./tokens.js";

export { type Capability, capabilityNames, isCapability } from "./capabilities.js";
export type { Turn } from "./default-answer.js";
export type { Fault } from "./faults.js";
export { RecordingError } from "./replay.js";
export type { RefreshFault, SimulatorOptions } from "./state.js";
export type { Step } from "./steps.js";
export { isStrictness, type Strictness, strictnessNames } from "./strictness.js";
export type { ToolFault } from "./taught-model/tool-faults.js";

/** A running simulator: web chat, account gateway and file storage on one port. */
export type Simulator = {
  /** Base URL, both of the web chat and of the account gateway. */
  readonly url: string;
  /** The last 20,000 requests, oldest first. */
  readonly calls: readonly CallLogEntry[];
  /** Issues a new token pair, by default for the account "simulated". */
  issue(options?: IssueOptions): TokenPair;
  /** From now on, every access token issued so far is refused as expired. */
  expireAccessTokens(): void;
  /** From now on, this refresh token is refused with 401. */
  revoke(refreshToken: string): void;
  /**
   * Applies to the next `times` (default 1) answers over either protocol. A call that is refused, for its token or its
   * form, does not count.
   */
  fault(fault: Fault, times?: number): void;
  /** Applies to the next `times` (default 1) RefreshToken calls at the account gateway. */
  faultRefresh(fault: RefreshFault, times?: number): void;
  /** Refuses the next `times` (default 1) uploads with this error, after the whole body was received. */
  faultUpload(error: ErrorFields, times?: number): void;
  /** Applies to the next `times` (default 1) answers in which the model calls a function that a prompt told it of. */
  faultModel(fault: ToolFault, times?: number): void;
  /** Numbers of calls so far, and of streams that are open now. */
  counts(): {
    refreshes: number;
    legacyRefreshes: number;
    chats: number;
    cancels: number;
    openStreams: number;
  };
  /** Cuts every connection; resolves when the server and all calls have ended. */
  close(): Promise<void>;
};

/**
 * Starts an HTTP server that imitates Kimi's web chat in both protocols of kimi-web.md, for trials and tests without an
 * account. Throws RecordingError if `options.replay` cannot be read.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const replay = options.replay === undefined ? undefined : await Replay.open(options.replay);
  const state = createState(options, replay);
  /** Calls in progress, each with a promise that resolves when its handler and its connection have ended. */
  const activeCalls = new Map<HttpCall, Promise<unknown>>();
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const call = new HttpCall(request, response);
    const finished = Promise.all([handleCall(state, call), call.closed]);
    activeCalls.set(call, finished);
    void finished.then(() => activeCalls.delete(call));
  });
  const host = options.host ?? "127.0.0.1";
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, () => resolve(portOf(server.address())));
  });

  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    calls: state.callLog.entries,
    issue: (issueOptions) => state.tokens.issue(issueOptions),
    expireAccessTokens: () => state.tokens.expireAccessTokens(),
    revoke: (refreshToken) => state.tokens.revoke(refreshToken),
    fault: (fault, times = 1) => state.faults.add(fault, times),
    faultRefresh: (fault, times = 1) => state.refreshFaults.add(fault, times),
    faultUpload: (error, times = 1) => state.uploadFaults.add(error, times),
    faultModel: (fault, times = 1) => state.toolFaults.add(fault, times),
    counts: () => ({
      ...state.counters,
      cancels: state.chatMethods.cancelCount,
      openStreams: state.openStreams.size,
    }),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const call of activeCalls.keys()) {
        call.stop("closing");
        call.cut();
      }
      server.closeAllConnections();
      await Promise.all([closed, ...activeCalls.values()]);
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === "object" && address ? address.port : 0;
}
