import { type ErrorCode, GatewayError } from "../../core/errors.js";
import { parseMediaType } from "../http/client.js";

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

/** Upstream code of `notJsonError`, by which a token refresh recognises a web page in place of Kimi's response. */
export const notJsonCode = "not_json";

/** A unary call got a response that is not JSON; its `contentType` is quoted. */
export function notJsonError(contentType: string | string[] | undefined): GatewayError {
  const type = parseMediaType(contentType);
  return new GatewayError("upstream_protocol", `Kimi answered with a page (“${type}”) instead of JSON.`, {
    upstreamCode: notJsonCode,
  });
}

/** A stream request got a response that is neither a stream nor an error. */
export function notEventStreamError(contentType: string | string[] | undefined): GatewayError {
  const type = parseMediaType(contentType);
  return new GatewayError("upstream_protocol", `Kimi answered with “${type}” instead of a stream of events.`);
}
