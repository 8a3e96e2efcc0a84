import type { Upstream } from "../chat/types.js";
import type { UpstreamConfig } from "../config/schema.js";
import { KimiWeb } from "./kimi-web/upstream.js";
import { SimulatorUpstream } from "./simulator.js";
import type { UpstreamSurroundings } from "./surroundings.js";

/** The upstream that a piece of configuration means; a new kind is one line here and one in `config/schema.ts`. */
export async function openUpstream(
  config: UpstreamConfig,
  surroundings: UpstreamSurroundings,
): Promise<Upstream> {
  switch (config.kind) {
    case "kimi-web": {
      const { accessToken, refreshToken, ...options } = config;
      const tokens = { ...(accessToken ? { accessToken } : {}), ...(refreshToken ? { refreshToken } : {}) };
      return KimiWeb.open({ ...options, tokens }, surroundings);
    }
    case "simulator":
      return SimulatorUpstream.open(config.name, surroundings);
  }
}
