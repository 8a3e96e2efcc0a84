import { Type } from "@sinclair/typebox";
import { documented, UrlSchema, upstreamSchema } from "../../config/field-schemas.js";
import { accountFields, configuredTokens, readAccountSettings } from "../kimi-shared/settings.js";
import { defineUpstreamKind } from "../upstream-kind.js";
import { defaultBaseUrl, KimiLegacy } from "./upstream.js";

/** Kimi's web chat over its older protocol. */
export const kimiLegacy = defineUpstreamKind({
  kind: "kimi-legacy",
  schema: upstreamSchema("kimi-legacy", {
    baseUrl: documented(
      "The site; by default https://kimi.moonshot.cn",
      "站点；默认为 https://kimi.moonshot.cn",
      Type.Optional(UrlSchema),
    ),
    ...accountFields,
  }),
  // One stream of a user at a time (kimi-web.md §1.6).
  defaultConcurrency: 1,
  credentials: "tokens",
  readSettings: readAccountSettings,
  baseUrls: ({ baseUrl = defaultBaseUrl }) => [baseUrl],
  open: (settings, context) => KimiLegacy.open({ ...settings, tokens: configuredTokens(settings) }, context),
});
