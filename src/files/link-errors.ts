import { GatewayError } from "../core/errors.js";
import { errorCode } from "../lib/error-code.js";

/** Longest part of a host's name that an error quotes; of the rest of a link it says nothing, it may be a secret. */
const quotedName = 100;

/** `host` where the link has one that could be read. */
export function forbidden(host: string | undefined, rule: string): GatewayError {
  return new GatewayError("link_forbidden", `${linkTo(host)} is not fetched: ${rule}.`);
}

export function unreachable(host: string, why: string, upstreamCode?: string): GatewayError {
  const message = `${linkTo(host)} cannot be fetched: ${why}.`;
  return new GatewayError("link_unreachable", message, upstreamCode === undefined ? {} : { upstreamCode });
}

/** `limit` in bytes. */
export function tooLarge(host: string, limit: number): GatewayError {
  const megabytes = Number((limit / 1_048_576).toPrecision(2));
  return new GatewayError("file_rejected", `${linkTo(host)} leads to a file of more than ${megabytes} MB.`);
}

/** A failure of the transport in our words; undici's own could name headers. */
export function failureOf(host: string, cause: unknown, signal: AbortSignal): GatewayError {
  if (signal.aborted) {
    if (signal.reason instanceof GatewayError) return signal.reason;
    return new GatewayError("cancelled", "The link is no longer needed.");
  }
  if (cause instanceof GatewayError) return cause;
  const code = codeOf(cause);
  const why = reasons.find(([pattern]) => pattern.test(code))?.[1];
  return unreachable(host, why ?? "the connection broke off", code);
}

/** The error's code, or its class where it has none. */
function codeOf(cause: unknown): string {
  return errorCode(cause) ?? (cause instanceof Error ? cause.name : "unknown");
}

const reasons: [RegExp, string][] = [
  [/^(ENOTFOUND|ENODATA|EAI_)/, "its host is unknown"],
  [/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)/, "its server cannot be reached"],
  [/CERT|SELF_SIGNED|UNABLE_TO_|^ERR_(TLS|SSL)|^EPROTO/, "its server has no valid certificate"],
  [/TIMEOUT|^ETIMEDOUT/, "its server did not answer in time"],
  [/HEADERS_OVERFLOW/, "the header of its answer is too large"],
  [/^HPE_|^HTTPParserError|CONTENT_LENGTH/, "its server does not answer in HTTP"],
];

function linkTo(host: string | undefined): string {
  return host === undefined ? "This link" : `The link to “${host.slice(0, quotedName)}”`;
}
