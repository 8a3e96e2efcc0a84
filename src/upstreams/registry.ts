import type { UpstreamConfig } from "../config/upstream-schema.js";
import type { TokenPair } from "../core/token.js";
import type { Upstream } from "../core/types.js";
import type { UpstreamSurroundings } from "./context.js";
import { defaultSite, KimiLegacy } from "./kimi-legacy/upstream.js";
import { KimiWeb, siteFor } from "./kimi-web/upstream.js";
import { type OpenAiSurroundings, OpenAiUpstream } from "./openai/upstream.js";
import { SimulatorUpstream } from "./simulator.js";

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
      const { region: _, ...options } = config;
      return new OpenAiUpstream({ ...options, baseUrl: serviceOf(config) }, surroundings);
    }
    case "simulator":
      return SimulatorUpstream.open(config.name, surroundings);
  }
}

/** The addresses at which an upstream is spoken to; none for the built-in simulator. */
export function addressesOf(config: UpstreamConfig): string[] {
  switch (config.kind) {
    case "kimi-web": {
      const { baseUrl, authUrl } = siteFor(config, config);
      return [baseUrl, authUrl];
    }
    case "kimi-legacy":
      return [config.baseUrl ?? defaultSite];
    case "openai":
      return [serviceOf(config)];
    case "simulator":
      return [];
  }
}

function serviceOf({ baseUrl, region = "ai" }: { baseUrl?: string; region?: string }): string {
  return baseUrl ?? `https://api.moonshot.${region}/v1`;
}

function tokensOf({ accessToken, refreshToken }: TokenPair): TokenPair {
  return { ...(accessToken ? { accessToken } : {}), ...(refreshToken ? { refreshToken } : {}) };
}
