import { GatewayError } from "../core/errors.js";
import { errorCode } from "../lib/error-code.js";
import { ProxyError } from "../proxy/proxy-error.js";

/** Characters of the host name that an error quotes. It quotes no other part of a link, which may be secret. */
const maxQuotedHostLength = 100;

/** `link_forbidden`; `host` is undefined if the link has none that could be parsed. */
export function linkForbidden(host: string | undefined, reason: string): GatewayError {
  return new GatewayError("link_forbidden", `${linkLabel(host)} is not fetched: ${reason}.`);
}

/** `link_unreachable`; `reason` completes “The link to … cannot be fetched: …”. */
export function linkUnreachable(host: string, reason: string, upstreamCode?: string): GatewayError {
  const message = `${linkLabel(host)} cannot be fetched: ${reason}.`;
  return new GatewayError("link_unreachable", message, upstreamCode === undefined ? {} : { upstreamCode });
}

/** `file_rejected`; `limit` is in bytes. */
export function linkTooLarge(host: string, limit: number): GatewayError {
  const megabytes = Number((limit / 1_048_576).toPrecision(2));
  return new GatewayError(
    "file_rejected",
    `${linkLabel(host)} leads to a file of more than ${megabytes} MB.`,
  );
}

/** `file_rejected` for a link to a picture that leads to a page, such as that of a login or of an image host. */
export function linkToWebPage(host: string): GatewayError {
  return new GatewayError(
    "file_rejected",
    `${linkLabel(host)} leads to a web page, not to a picture; use the address of the picture itself.`,
  );
}

/** Converts a transport failure to a GatewayError without undici's message, which may quote headers. */
export function toLinkError(host: string, cause: unknown, signal: AbortSignal): GatewayError {
  if (signal.aborted) {
    if (signal.reason instanceof GatewayError) return signal.reason;
    return new GatewayError("cancelled", "The link is no longer needed.");
  }
  if (cause instanceof GatewayError) return cause;
  if (cause instanceof ProxyError) return linkUnreachable(host, cause.explanation.detail, cause.code);
  const code = errorCodeOrName(cause);
  const reason = reasonsByCode.find(([pattern]) => pattern.test(code))?.[1];
  return linkUnreachable(host, reason ?? "the connection broke off", code);
}

/** The error's code, or its class name if it has none. */
function errorCodeOrName(cause: unknown): string {
  return errorCode(cause) ?? (cause instanceof Error ? cause.name : "unknown");
}

const reasonsByCode: [RegExp, string][] = [
  [/^(ENOTFOUND|ENODATA|EAI_)/, "its host is unknown"],
  [/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)/, "its server cannot be reached"],
  [/CERT|SELF_SIGNED|UNABLE_TO_|^ERR_(TLS|SSL)|^EPROTO/, "its server has no valid certificate"],
  [/TIMEOUT|^ETIMEDOUT/, "its server did not answer in time"],
  [/HEADERS_OVERFLOW/, "the header of its answer is too large"],
  [/^HPE_|^HTTPParserError|CONTENT_LENGTH/, "its server does not answer in HTTP"],
];

function linkLabel(host: string | undefined): string {
  return host === undefined ? "This link" : `The link to “${host.slice(0, maxQuotedHostLength)}”`;
}
