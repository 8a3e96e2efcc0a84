import { connect } from "./connect.js";
import { legacy } from "./legacy.js";
import { openai } from "./openai.js";
import type { Protocol, ProtocolName } from "./protocol.js";

export const protocols: Readonly<Record<ProtocolName, Protocol>> = { connect, legacy, openai };
