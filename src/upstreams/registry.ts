import type { UpstreamConfig } from "../config/upstream-schema.js";
import type { TokenPair } from "../core/token.js";
import type { Upstream } from "../core/types.js";
import type { UpstreamContext } from "./context.js";
import { defaultBaseUrl, KimiLegacy } from "./kimi-legacy/upstream.js";
import { KimiWeb, siteForTokens } from "./kimi-web/upstream.js";
import { type OpenAiContext, OpenAiUpstream } from "./openai/upstream.js";
import { SimulatorUpstream } from "./simulator.js";

/** Opens the upstream of a config entry. A new kind needs a case here and a schema in `config/upstream-schema.ts`. */
export async function openUpstream(
  config: UpstreamConfig,
  context: UpstreamContext & OpenAiContext,
): Promise<Upstream> {
  switch (config.kind) {
    case "kimi-web":
      return KimiWeb.open({ ...config, tokens: configuredTokens(config) }, context);
    case "kimi-legacy":
      return KimiLegacy.open({ ...config, tokens: configuredTokens(config) }, context);
    case "openai": {
      const { region: _, ...options } = config;
      return new OpenAiUpstream({ ...options, baseUrl: openAiBaseUrl(config) }, context);
    }
    case "simulator":
      return SimulatorUpstream.open(config.name, context);
  }
}

/** The base URLs that an upstream sends requests to; none for the built-in simulator. */
export function upstreamBaseUrls(config: UpstreamConfig): string[] {
  switch (config.kind) {
    case "kimi-web": {
      const { baseUrl, authUrl } = siteForTokens(config, config);
      return [baseUrl, authUrl];
    }
    case "kimi-legacy":
      return [config.baseUrl ?? defaultBaseUrl];
    case "openai":
      return [openAiBaseUrl(config)];
    case "simulator":
      return [];
  }
}

function openAiBaseUrl({ baseUrl, region = "ai" }: { baseUrl?: string; region?: string }): string {
  return baseUrl ?? `https://api.moonshot.${region}/v1`;
}

function configuredTokens({ accessToken, refreshToken }: TokenPair): TokenPair {
  return { ...(accessToken ? { accessToken } : {}), ...(refreshToken ? { refreshToken } : {}) };
}
