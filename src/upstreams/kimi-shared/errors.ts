import { type ErrorCode, GatewayError } from "../../core/errors.js";
import { type JsonObject, parseObject } from "../../lib/json.js";
import { type HttpResponse, parseMediaType, parseRetryAfter } from "../http/client.js";
import { describeForeignAnswer } from "../http/foreign-answer.js";

/** A kind of Kimi error: our code and message, the same in both protocols. */
export type KimiErrorKind = { code: ErrorCode; message: string };

export const overloaded: KimiErrorKind = {
  code: "upstream_overloaded",
  message: "Kimi is too busy to answer right now. Try again in a minute.",
};
export const quotaExceeded: KimiErrorKind = {
  code: "quota_exceeded",
  message: "This Kimi account has used up its quota. It comes back when Kimi resets it, or with an upgrade.",
};
export const rateLimited: KimiErrorKind = {
  code: "rate_limited",
  message: "Kimi says that this account asks too often. Wait a little before the next message.",
};
/** Kimi allows one answer in a chat at a time. */
export const chatBusy: KimiErrorKind = {
  code: "chat_busy",
  message: "Kimi is still answering an earlier message in this chat. Send this one again in a few seconds.",
};
export const answerFailed: KimiErrorKind = {
  code: "upstream_unavailable",
  message: "Kimi failed while it was answering. Try again.",
};
export const loginExpired: KimiErrorKind = {
  code: "account_login_required",
  message:
    "Kimi no longer accepts this account's login. Log in on Kimi's site and give Moonbridge new tokens.",
};
export const accessRefused: KimiErrorKind = {
  code: "account_login_required",
  message:
    "Kimi refuses this account access. Open Kimi's site, see that chatting works there, and give Moonbridge new tokens.",
};
export const contentFiltered: KimiErrorKind = {
  code: "content_filter",
  message: "Kimi's content filter refused this conversation.",
};
export const contextTooLong: KimiErrorKind = {
  code: "context_length_exceeded",
  message: "This conversation is too long for Kimi. Start a new one or shorten it.",
};
export const requestNotUnderstood: KimiErrorKind = {
  code: "upstream_protocol",
  message:
    "Kimi did not understand Moonbridge's request. Kimi may have changed its protocol; please report it.",
};
export const chatNotFound: KimiErrorKind = {
  code: "not_found",
  message: "Kimi does not know this chat any more.",
};
export const timedOut: KimiErrorKind = {
  code: "timeout",
  message: "Kimi took too long to answer. Try again.",
};

/** Upstream code of a `foreignAnswerError`, by which a token refresh recognises it. */
const foreignCode = "not_kimi";

/** Whether something else than Kimi answered, so that the answer says nothing about a token or a chat. */
export function isForeignAnswer(error: unknown): boolean {
  return error instanceof GatewayError && error.upstreamCode === foreignCode;
}

/** Statuses of something in trouble or in a hurry; with any other, something stands between Moonbridge and Kimi. */
const temporaryByStatus: Record<number, { code: ErrorCode; retryAfterSeconds?: number }> = {
  408: { code: "timeout" },
  429: { code: "rate_limited", retryAfterSeconds: 30 },
  500: { code: "upstream_unavailable" },
  502: { code: "upstream_overloaded", retryAfterSeconds: 5 },
  503: { code: "upstream_overloaded", retryAfterSeconds: 5 },
  504: { code: "timeout" },
};

/**
 * The response is not in Kimi's form: a page of a firewall, of a network's sign-in or of a proxy in front of Kimi. Only
 * Kimi's own words say something about the login, the chat or the account.
 */
function foreignAnswerError(response: HttpResponse): GatewayError {
  const { status, headers } = response;
  const what = `${describeForeignAnswer(response)} came in place of Kimi's answer.`;
  const temporary = temporaryByStatus[status];
  if (temporary) {
    const retryAfterSeconds = parseRetryAfter(headers["retry-after"]) ?? temporary.retryAfterSeconds;
    return new GatewayError(
      temporary.code,
      `${what} Kimi, or something on the way to it, is in trouble. Try again in a moment.`,
      {
        upstreamCode: `http_${status}`,
        isAccountWide: false,
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      },
    );
  }
  return new GatewayError(
    status === 200 ? "upstream_protocol" : "upstream_unavailable",
    `${what} ${pageRemedy}`,
    {
      upstreamCode: foreignCode,
      ...(status === 200 ? {} : { retryable: false }),
    },
  );
}

/** What a person can do about a page in place of Kimi's answer. */
export const pageRemedy =
  "See whether this network has a sign-in page or a filter, and whether Kimi's site works in a browser.";

/** Statuses by which Kimi refuses a login or a chat; firewalls refuse with them in JSON, too. */
const refusalStatuses = new Set([403, 404]);

/** The body of Kimi's answer. Throws unless it is JSON, and a refusal names its reason as Kimi does. */
export function parseKimiAnswer(
  response: HttpResponse,
  hasKimiForm: (body: JsonObject) => boolean,
): JsonObject {
  const body = parseObject(response.body);
  if (body && (!refusalStatuses.has(response.status) || hasKimiForm(body))) return body;
  throw foreignAnswerError(response);
}

/** An answer has more of something (`blocks`, `tool calls`) than it can have. */
export function endlessAnswerError(what: string): GatewayError {
  return new GatewayError("upstream_protocol", `Kimi's answer has more ${what} than any real one.`);
}

/** The access token ended while Kimi was answering and was renewed, after a part of the answer had been sent on. */
export function renewedTokenError(): GatewayError {
  return new GatewayError(
    "upstream_cut",
    "Kimi ended this answer because the account's access token had expired. Moonbridge has renewed it: send the message again.",
    { upstreamCode: "token_renewed" },
  );
}

/** A stream request got a response that is neither a stream nor an error. */
export function notEventStreamError(contentType: string | string[] | undefined): GatewayError {
  const type = parseMediaType(contentType);
  return new GatewayError("upstream_protocol", `Kimi answered with “${type}” instead of a stream of events.`);
}
