import { Type } from "@sinclair/typebox";
import { UrlSchema, upstreamSchema } from "../../config/field-schemas.js";
import { accountFields, configuredTokens, readAccountSettings } from "../kimi-shared/settings.js";
import { defineUpstreamKind } from "../upstream-kind.js";
import { KimiWeb, siteForTokens } from "./upstream.js";

/** Kimi's web chat over its current protocol. `moonbridge login` stores accounts of this kind. */
export const kimiWeb = defineUpstreamKind({
  kind: "kimi-web",
  schema: upstreamSchema("kimi-web", {
    baseUrl: Type.Optional(UrlSchema),
    authUrl: Type.Optional(UrlSchema),
    siteVersion: Type.Optional(
      Type.String({
        pattern: "^\\d{1,4}(\\.\\d{1,4}){1,3}$",
        description: "the version of Kimi's site, such as 2.3.0",
      }),
    ),
    ...accountFields,
  }),
  // What Kimi's own site allows one person.
  defaultConcurrency: 2,
  credentials: "tokens",
  readSettings: readAccountSettings,
  baseUrls: (settings) => {
    const { baseUrl, authUrl } = siteForTokens(settings, settings);
    return [baseUrl, authUrl];
  },
  open: (settings, context) => KimiWeb.open({ ...settings, tokens: configuredTokens(settings) }, context),
});
