import type { Upstream } from "../chat/types.js";
import type { UpstreamConfig } from "../config/schema.js";
import { KimiWeb, type KimiWebSurroundings } from "./kimi-web/upstream.js";
import { type OpenAiSurroundings, OpenAiUpstream } from "./openai/upstream.js";
import { SimulatorUpstream } from "./simulator.js";

/** The upstream that a piece of configuration means; a new kind is one line here and one in `config/schema.ts`. */
export async function openUpstream(
  config: UpstreamConfig,
  surroundings: KimiWebSurroundings & OpenAiSurroundings,
): Promise<Upstream> {
  switch (config.kind) {
    case "kimi-web": {
      const { accessToken, refreshToken, ...options } = config;
      const tokens = { ...(accessToken ? { accessToken } : {}), ...(refreshToken ? { refreshToken } : {}) };
      return KimiWeb.open({ ...options, tokens }, surroundings);
    }
    case "openai": {
      const { region, baseUrl = `https://api.moonshot.${region ?? "ai"}/v1`, ...options } = config;
      return new OpenAiUpstream({ ...options, baseUrl }, surroundings);
    }
    case "simulator":
      return SimulatorUpstream.open(config.name, surroundings);
  }
}
