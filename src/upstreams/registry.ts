import type { TokenPair } from "../accounts/token.js";
import type { Upstream } from "../chat/types.js";
import type { UpstreamConfig } from "../config/schema.js";
import { KimiLegacy } from "./kimi-legacy/upstream.js";
import { KimiWeb } from "./kimi-web/upstream.js";
import { type OpenAiSurroundings, OpenAiUpstream } from "./openai/upstream.js";
import { SimulatorUpstream } from "./simulator.js";
import type { UpstreamSurroundings } from "./surroundings.js";

/** The upstream that a piece of configuration means; a new kind is one line here and one in `config/schema.ts`. */
export async function openUpstream(
  config: UpstreamConfig,
  surroundings: UpstreamSurroundings & OpenAiSurroundings,
): Promise<Upstream> {
  switch (config.kind) {
    case "kimi-web":
      return KimiWeb.open({ ...config, tokens: tokensOf(config) }, surroundings);
    case "kimi-legacy":
      return KimiLegacy.open({ ...config, tokens: tokensOf(config) }, surroundings);
    case "openai": {
      const { region, baseUrl = `https://api.moonshot.${region ?? "ai"}/v1`, ...options } = config;
      return new OpenAiUpstream({ ...options, baseUrl }, surroundings);
    }
    case "simulator":
      return SimulatorUpstream.open(config.name, surroundings);
  }
}

function tokensOf({ accessToken, refreshToken }: TokenPair): TokenPair {
  return { ...(accessToken ? { accessToken } : {}), ...(refreshToken ? { refreshToken } : {}) };
}
