import { connect } from "./connect.js";
import { legacy } from "./legacy.js";
import { openai } from "./openai.js";
import type { Protocol, ProtocolName } from "./protocol.js";

/** The protocols of all upstream kinds, by name. */
export const protocols: Readonly<Record<ProtocolName, Protocol>> = { connect, legacy, openai };
