import type { FastifyRequest } from "fastify";
import { limits } from "../core/limits.js";
import type { ChatRequest } from "../core/types.js";
import { hash } from "../lib/hash.js";

/**
 * The identity of a request with the header `Idempotency-Key`: the same for the same API key, path, body and header. None for
 * a body that is too long to be compared.
 */
export function readIdempotency({
  headers,
  url,
  body,
  principal,
}: FastifyRequest): Pick<ChatRequest, "idempotency"> {
  const key = headers["idempotency-key"];
  if (typeof key !== "string" || key === "") return {};
  const text = JSON.stringify(body);
  if (text.length > limits.smallBody) return {};
  return { idempotency: hash(principal.keyName, url, key, text) };
}
