import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { AccountAdmin, AccountImport } from "../../admin/account-admin.js";
import { toGatewayError } from "../../core/errors.js";
import type { Language } from "../../i18n/text.js";
import { accountObject } from "./account-object.js";
import { adminSchemas as schemas } from "./contract.js";
import { findingObject } from "./finding-object.js";
import { isoTime } from "./schemas/field.js";

/** `/v1/admin/accounts`: the accounts, and what connects, renames and removes them. */
export function accountRoutes(accounts: AccountAdmin): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get("/v1/admin/accounts", { schema: schemas.listAccounts }, async () => ({
      object: "list" as const,
      data: accounts.list().map(accountObject),
    }));

    app.post("/v1/admin/accounts", { schema: schemas.importAccount }, async ({ body }) => {
      const { text, name, dry_run: dryRun = false, offline = false, language = "en" } = body;
      const { base_url: baseUrl, auth_url: authUrl } = body;
      const addresses = { ...(baseUrl ? { baseUrl } : {}), ...(authUrl ? { authUrl } : {}) };
      return importObject(await accounts.import(text, { name, dryRun, offline, ...addresses }), language);
    });

    app.get("/v1/admin/accounts/:id/quota", { schema: schemas.getQuota }, async (request) => {
      const quotas = accounts.quota(request.params.id, request.stopSignal);
      try {
        const data = ((await quotas) ?? []).map(({ name, used, resetsAt }) => ({
          name,
          used,
          resets_at: isoTime(resetsAt),
        }));
        return { object: "list" as const, data, error: null };
      } catch (error) {
        return { object: "list" as const, data: [], error: toGatewayError(error).code };
      }
    });

    app.post("/v1/admin/accounts/:id/check", { schema: schemas.checkAccount }, async (request) => {
      const { language = "en" } = request.query;
      const findings = await accounts.check(request.params.id, request.stopSignal);
      const data = findings.map((finding) => findingObject(finding, language));
      return { object: "list" as const, data };
    });

    app.patch("/v1/admin/accounts/:id", { schema: schemas.renameAccount }, async (request) => {
      const { params, query, body } = request;
      const { language = "en" } = query;
      const warnings = await accounts.rename(params.id, body.name);
      const texts = warnings.map((warning) => warning[language]);
      return { id: body.name, object: "account" as const, renamed_from: params.id, warnings: texts };
    });

    app.delete("/v1/admin/accounts/:id", { schema: schemas.deleteAccount }, async ({ params, query }) => {
      const chats = await accounts.remove(params.id, query.chats ?? "delete");
      return { id: params.id, object: "account" as const, deleted: true, chats };
    });
  };
}

function importObject(result: AccountImport, language: Language) {
  const { account, outcome, lines, hasRefreshToken, user, problem, error } = result;
  return {
    object: "account.import" as const,
    account,
    outcome,
    stored: ["verified", "stored-unverified", "stored-after-failure"].includes(outcome),
    recognised: lines.map((line) => line[language]),
    has_refresh_token: hasRefreshToken,
    user: user ? { id: user.id, nickname: user.nickname ?? null } : null,
    problem: problem?.[language] ?? null,
    error_code: error?.code ?? null,
  };
}
