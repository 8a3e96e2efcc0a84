import { Type } from "@sinclair/typebox";
import { documented, UrlSchema, upstreamSchema } from "../../config/field-schemas.js";
import { accountFields, configuredTokens, readAccountSettings } from "../kimi-shared/settings.js";
import { defineUpstreamKind } from "../upstream-kind.js";
import { KimiWeb, siteForTokens } from "./upstream.js";

/** Kimi's web chat over its current protocol. `moonbridge login` stores accounts of this kind. */
export const kimiWeb = defineUpstreamKind({
  kind: "kimi-web",
  schema: upstreamSchema("kimi-web", {
    baseUrl: documented(
      "The site; by default that of the tokens, kimi.com or kimi.ai",
      "站点；默认为令牌所属的站点，kimi.com 或 kimi.ai",
      Type.Optional(UrlSchema),
    ),
    authUrl: documented(
      "The account gateway, which refreshes tokens; by default that of the site",
      "刷新令牌的账号网关；默认为该站点的网关",
      Type.Optional(UrlSchema),
    ),
    siteVersion: documented(
      "The version of Kimi's site that requests name (`x-msh-version`); it decides which models Kimi lists",
      "请求中所称的 Kimi 网站版本（`x-msh-version`）；它决定 Kimi 列出哪些模型",
      Type.Optional(
        Type.String({
          pattern: "^\\d{1,4}(\\.\\d{1,4}){1,3}$",
          description: "the version of Kimi's site, such as 2.3.0",
        }),
      ),
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
