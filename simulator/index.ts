import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Call } from "./call-log.js";
import type { ErrorShape } from "./errors.js";
import type { Fault } from "./faults.js";
import { Visit } from "./http-call.js";
import { Replay } from "./replay.js";
import { serve } from "./server.js";
import { createWorld, type RefreshFault, type SimulatorOptions } from "./state.js";
import type { IssueOptions, TokenPair } from "./tokens.js";

export type { Turn } from "./answer.js";
export type { Fault } from "./faults.js";
export { RecordingError } from "./replay.js";
export type { RefreshFault, SimulatorOptions } from "./state.js";
export type { Step } from "./steps.js";

/** A running fake Kimi: site and account gateway in one, on one port. */
export type Simulator = {
  /** Serves as site and as account gateway. */
  readonly url: string;
  /** The last 20,000 requests, in order. */
  readonly calls: readonly Call[];
  /** A fresh login. */
  issue(options?: IssueOptions): TokenPair;
  /** All access tokens issued so far are refused as expired from now on. */
  expireAccessTokens(): void;
  /** This refresh token is refused with 401 from now on. */
  revoke(refreshToken: string): void;
  /** Applies to the next `times` calls for an answer, over either protocol, that are not refused for other reasons; default 1. */
  fault(fault: Fault, times?: number): void;
  /** Applies to the next `times` calls of RefreshToken at the account gateway; default 1. */
  faultRefresh(fault: RefreshFault, times?: number): void;
  /** The next `times` uploads are refused so, once they are there; default 1. */
  faultUpload(refusal: ErrorShape, times?: number): void;
  counts(): {
    refreshes: number;
    legacyRefreshes: number;
    chats: number;
    cancels: number;
    openStreams: number;
  };
  /** Cuts every connection; resolves when all is closed. */
  close(): Promise<void>;
};

/** Starts a fake Kimi that speaks both protocols of kimi-web.md, so that nobody needs an account to try or to test. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const replay = options.replay === undefined ? undefined : await Replay.open(options.replay);
  const world = createWorld(options, replay);
  /** Requests under way, and when each of them is over and done with. */
  const visits = new Map<Visit, Promise<unknown>>();
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const visit = new Visit(request, response);
    const over = Promise.all([serve(world, visit), visit.closed]);
    visits.set(visit, over);
    void over.then(() => visits.delete(visit));
  });
  const host = options.host ?? "127.0.0.1";
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, () => resolve(portOf(server.address())));
  });

  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    calls: world.log.calls,
    issue: (login) => world.tokens.issue(login),
    expireAccessTokens: () => world.tokens.expireAccessTokens(),
    revoke: (refreshToken) => world.tokens.revoke(refreshToken),
    fault: (fault, times = 1) => world.faults.add(fault, times),
    faultRefresh: (fault, times = 1) => world.refreshFaults.add(fault, times),
    faultUpload: (refusal, times = 1) => world.uploadFaults.add(refusal, times),
    counts: () => ({ ...world.counted, cancels: world.history.cancels, openStreams: world.streams.size }),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const visit of visits.keys()) {
        visit.stop("closing");
        visit.cut();
      }
      server.closeAllConnections();
      await Promise.all([closed, ...visits.values()]);
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === "object" && address ? address.port : 0;
}
