import { join } from "node:path";
import { Child } from "../child.js";
import { modulePath } from "../environment.js";
import { type Candidate, upstreamTarget } from "./candidate.js";

/** The load client connected to the fake upstream directly: the limits of both, and of the machine. */
export const noGateway: Candidate = {
  name: "no gateway",
  start: async (environment) => ({
    child: undefined,
    reportsEventLoop: false,
    streaming: upstreamTarget(environment.fakeUpstreamPort),
    nonStreaming: undefined,
  }),
};

/** A relay with Node's `http` that pipes requests and responses and transforms nothing. */
export const naiveRelay: Candidate = {
  name: "naive Node relay",
  start: async (environment) => {
    const options = { log: join(environment.createWorkDirectory("naive"), "log") };
    const child = Child.fork(modulePath("./relay/naive.js"), [String(environment.fakeUpstreamPort)], options);
    const port = await child.call<number>("port");
    return { child, reportsEventLoop: false, streaming: upstreamTarget(port), nonStreaming: undefined };
  },
};
