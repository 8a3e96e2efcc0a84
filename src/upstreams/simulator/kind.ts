import { UpstreamToolsSchema, upstreamSchema } from "../../config/field-schemas.js";
import { defineUpstreamKind } from "../upstream-kind.js";
import { SimulatorUpstream } from "./upstream.js";

/** The simulator that runs inside Moonbridge. */
export const simulator = defineUpstreamKind({
  kind: "simulator",
  schema: upstreamSchema("simulator", { tools: UpstreamToolsSchema }),
  defaultConcurrency: 1_000,
  credentials: "none",
  baseUrls: () => [],
  open: ({ name }, context) => SimulatorUpstream.open(name, context),
});
