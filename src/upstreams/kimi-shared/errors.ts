import { type ErrorCode, GatewayError } from "../../core/errors.js";
import { mediaType } from "../http/client.js";

/** What a failure of Kimi's means to a person, in the same words over both of its protocols. */
export type Meaning = { code: ErrorCode; message: string };

export const overloaded: Meaning = {
  code: "upstream_overloaded",
  message: "Kimi is too busy to answer right now. Try again in a minute.",
};
export const quota: Meaning = {
  code: "quota_exceeded",
  message: "This Kimi account has used up its quota. It comes back when Kimi resets it, or with an upgrade.",
};
export const rate: Meaning = {
  code: "rate_limited",
  message: "Kimi says that this account asks too often. Wait a little before the next message.",
};
export const broken: Meaning = {
  code: "upstream_unavailable",
  message: "Kimi failed while it was answering. Try again.",
};
export const loginExpired: Meaning = {
  code: "account_login_required",
  message:
    "Kimi no longer accepts this account's login. Log in on Kimi's site and give Moonbridge new tokens.",
};
export const accessRefused: Meaning = {
  code: "account_login_required",
  message:
    "Kimi refuses this account access. Open Kimi's site, see that chatting works there, and give Moonbridge new tokens.",
};
export const filtered: Meaning = {
  code: "content_filter",
  message: "Kimi's content filter refused this conversation.",
};
export const tooLong: Meaning = {
  code: "context_length_exceeded",
  message: "This conversation is too long for Kimi. Start a new one or shorten it.",
};
export const notUnderstood: Meaning = {
  code: "upstream_protocol",
  message:
    "Kimi did not understand Moonbridge's request. Kimi may have changed its protocol; please report it.",
};
export const gone: Meaning = { code: "not_found", message: "Kimi does not know this chat any more." };
export const tooSlow: Meaning = { code: "timeout", message: "Kimi took too long to answer. Try again." };

/** How the refresh of a login recognises that somebody else answered in Kimi's place. */
export const notJsonCode = "not_json";

/** Something else than JSON answered a short call; `contentType` says what. */
export function notJson(contentType: string | string[] | undefined): GatewayError {
  const type = mediaType(contentType);
  return new GatewayError("upstream_protocol", `Kimi answered with a page (“${type}”) instead of JSON.`, {
    upstreamCode: notJsonCode,
  });
}

/** Something that is neither a stream nor an error answered where a stream was to begin. */
export function notEvents(contentType: string | string[] | undefined): GatewayError {
  const type = mediaType(contentType);
  return new GatewayError("upstream_protocol", `Kimi answered with “${type}” instead of a stream of events.`);
}
