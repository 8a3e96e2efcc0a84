import { join } from "node:path";
import { Child } from "../child.js";
import { modulePath } from "../stage.js";
import { type Candidate, upstreamTarget } from "./candidate.js";

/** No gateway at all: what the fake upstream, the load client and the machine can do. */
export const noGateway: Candidate = {
  name: "no gateway",
  start: async (stage) => ({
    child: undefined,
    watched: false,
    streams: upstreamTarget(stage.fakePort),
    whole: undefined,
  }),
};

/** Node's own `http`, a request piped through and nothing transformed. */
export const naiveRelay: Candidate = {
  name: "naive Node relay",
  start: async (stage) => {
    const options = { log: join(stage.room("naive"), "log") };
    const child = Child.module(modulePath("./relay/naive.js"), [String(stage.fakePort)], options);
    const port = await child.call<number>("port");
    return { child, watched: false, streams: upstreamTarget(port), whole: undefined };
  },
};
