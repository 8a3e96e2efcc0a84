import { type ErrorCode, GatewayError } from "../../core/errors.js";
import { asText, type JsonObject } from "../../lib/json.js";
import type { Drift } from "../../observability/protocol-drift.js";
import {
  accessRefused,
  broken,
  filtered,
  gone,
  loginExpired,
  type Meaning,
  notUnderstood,
  overloaded,
  rate,
  tooLong,
  tooSlow,
} from "../kimi-shared/errors.js";
import { quote } from "../quote.js";

const busy: Meaning = {
  code: "account_busy",
  message: "Kimi is still answering something else on this account, and it gives one answer at a time.",
};

/** The error types that sources have seen (kimi-web.md §1.6). */
const byType: readonly [types: RegExp, meaning: Meaning][] = [
  [/^auth\.token\.invalid$/, loginExpired],
  [/^chat\.user_stream_pushing$/, busy],
  [/^chat\.forbidden$|\.not_found$/, gone],
  [/^(kimi\.completion\.overloaded|openai\.completion\.stream)$/, overloaded],
  [/\.token_length|^long_text_flash_catcher_limit$/, tooLong],
];

/**
 * Other errors are no refusal of what was said, although one client takes them all for one (kimi-web.md §1.6): only
 * those that say so.
 */
const saysFiltered = /content_?(filter|polic|secur|safe)|sensitive|moderation|内容(安全|违规)|违规|敏感/i;

const byStatus: Record<number, Meaning> = {
  400: notUnderstood,
  401: loginExpired,
  403: accessRefused,
  404: gone,
  429: rate,
  502: overloaded,
  503: overloaded,
  504: tooSlow,
};

/** Seconds to leave Kimi alone where it does not say how many. */
const pauses: Partial<Record<ErrorCode, number>> = {
  account_busy: 2,
  upstream_overloaded: 5,
  rate_limited: 30,
};

/** What an HTTP answer says around a failure; nothing where the failure is an event of a stream. */
export type Answer = { status?: number; retryAfterSeconds?: number | undefined };

/** `{error_type, message}`, a whole answer or the `error` of an event, as the error that the client gets. */
export function failureToError(failure: JsonObject, drift: Drift, answer: Answer = {}): GatewayError {
  const type = asText(failure.error_type) ?? "";
  const sentence = asText(failure.message);
  const known = byType.find(([types]) => types.test(type))?.[1];
  if (type !== "" && !known) drift.note("reason", type);
  const declined = saysFiltered.test(type) || saysFiltered.test(sentence ?? "") ? filtered : undefined;
  const meaning = known ?? declined ?? byStatus[answer.status ?? 0] ?? broken;
  const retryAfterSeconds = answer.retryAfterSeconds ?? pauses[meaning.code];
  return new GatewayError(meaning.code, meaning.message + quote("Kimi", sentence), {
    upstreamCode: type || (answer.status === undefined ? "unknown" : `http_${answer.status}`),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** True where Kimi refused the access token itself, so that a refresh may help. */
export function isExpiredLogin(error: unknown): boolean {
  return (
    error instanceof GatewayError &&
    (error.upstreamCode === "auth.token.invalid" || error.upstreamCode === "http_401")
  );
}
