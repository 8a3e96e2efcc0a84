import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { Static } from "@sinclair/typebox";
import type { ApiKeyAdmin, ListedApiKey } from "../../admin/api-keys.js";
import { ConfigError } from "../../config/validate.js";
import { hasExpired } from "../../core/api-key.js";
import { GatewayError } from "../../core/errors.js";
import { adminSchemas as schemas } from "./contract.js";
import { isoTime } from "./schemas/field.js";
import type { KeyAnswer, KeyChangeBody } from "./schemas/key.js";

/** `/v1/admin/keys`. `keys` are those of the configuration in force. */
export function keyRoutes(keys: () => ApiKeyAdmin): FastifyPluginAsyncTypebox {
  const find = async (name: string): Promise<ListedApiKey> => {
    const found = (await keys().list()).find((key) => key.name === name);
    if (found) return found;
    throw new GatewayError("not_found", `There is no key “${name.slice(0, 64)}”.`);
  };
  return async (app) => {
    app.get("/v1/admin/keys", { schema: schemas.listKeys }, async () => ({
      object: "list" as const,
      data: (await keys().list()).map(keyObject),
    }));

    app.post("/v1/admin/keys", { schema: schemas.createKey }, async ({ body: { name, ...settings } }) => {
      const { key, warning } = await refuseAsRequest(keys().add(name, withoutNull(toSettings(settings))));
      return { ...keyObject(await find(name)), key, warning: warning?.en ?? null };
    });

    app.patch("/v1/admin/keys/:id", { schema: schemas.updateKey }, async ({ params, body }) => {
      await find(params.id);
      await refuseAsRequest(keys().update(params.id, toSettings(body)));
      return keyObject(await find(params.id));
    });

    app.delete("/v1/admin/keys/:id", { schema: schemas.deleteKey }, async ({ params }) => {
      await find(params.id);
      await refuseAsRequest(keys().revoke(params.id));
      return { id: params.id, object: "key" as const, deleted: true };
    });
  };
}

/** A setting that cannot be used is the mistake of the request. */
async function refuseAsRequest<Result>(change: Promise<Result>): Promise<Result> {
  try {
    return await change;
  } catch (error) {
    if (error instanceof ConfigError) throw new GatewayError("invalid_request", error.message);
    throw error;
  }
}

/** The settings of the body by their names in the configuration; those that are absent stay absent. */
function toSettings(body: Static<typeof KeyChangeBody>): Record<string, unknown> {
  const entries = Object.entries(body).map(([name, value]): [string, unknown] => [
    name.replace(/_(\w)/g, (_match, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(entries);
}

function withoutNull(settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));
}

function keyObject(key: ListedApiKey): Static<typeof KeyAnswer> {
  const { name, origin, createdAt, lastUsedAt, usedToday, settings } = key;
  return {
    ...{ id: name, object: "key", origin },
    created_at: isoTime(createdAt),
    expires_at: isoTime(settings.expires),
    expired: hasExpired(settings),
    last_used_at: isoTime(lastUsedAt),
    scopes: [...settings.scopes],
    models: settings.models ? [...settings.models] : null,
    upstreams: settings.upstreams ? [...settings.upstreams] : null,
    requests_per_minute: settings.requestsPerMinute ?? null,
    requests_per_day: settings.requestsPerDay ?? null,
    tokens_per_day: settings.tokensPerDay ?? null,
    concurrency: settings.concurrency ?? null,
    chats: settings.chats ?? null,
    citations: settings.citations ?? null,
    tools: settings.tools ?? null,
    visible_errors: settings.visibleErrors ?? null,
    used_today: usedToday ?? null,
  };
}
