/**
 * Why a service cannot be reached. `answer`: it takes the connection and says nothing. `redirect`: it names another
 * address, as a network's sign-in page does.
 */
export type NetworkCause =
  | "name"
  | "connection"
  | "self-signed"
  | "untrusted"
  | "expired"
  | "not-yet-valid"
  | "wrong-name"
  | "tls"
  | "answer"
  | "redirect";

/** A cause in words: `detail` is a clause without its full stop, `remedy` are sentences. */
export type NetworkExplanation = { detail: string; remedy: string };

const causesByCode: readonly [codes: RegExp, cause: NetworkCause][] = [
  [/^(ENOTFOUND|ENODATA|EAI_)/, "name"],
  [/^(ECONNREFUSED|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL)$/, "connection"],
  [/SELF_SIGNED_CERT/, "self-signed"],
  [/^(UNABLE_TO_|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE|INVALID_CA)/, "untrusted"],
  [/^CERT_HAS_EXPIRED$/, "expired"],
  [/^CERT_NOT_YET_VALID$/, "not-yet-valid"],
  [/^ERR_TLS_CERT_ALTNAME/, "wrong-name"],
  [/^(CERT_|ERR_TLS|ERR_SSL|EPROTO$)/, "tls"],
];

/** The cause behind the code of a system, TLS or OpenSSL error; undefined for codes that may have several. */
export function networkCauseOf(code: string): NetworkCause | undefined {
  return causesByCode.find(([codes]) => codes.test(code))?.[1];
}

/** Causes that may pass by themselves; the others last until somebody does something about them. */
const passingCauses = new Set<NetworkCause>(["name", "connection", "tls", "answer"]);

/** Whether a retry is useless. */
export function isLasting(cause: NetworkCause): boolean {
  return !passingCauses.has(cause);
}

const interception =
  "Where this network has a sign-in page, sign in with a browser. Where it inspects TLS, NODE_EXTRA_CA_CERTS names its " +
  "certificate.";
const wrongClock = "Set this machine's clock if it is wrong.";

const explanations: Record<NetworkCause, (host: string, target?: string) => NetworkExplanation> = {
  name: (host) => ({
    detail: `the name ${host} cannot be looked up`,
    remedy: "Check this machine's network and DNS, and the address in the config.",
  }),
  connection: (host) => ({
    detail: `${host} takes no connection`,
    remedy: "See whether a firewall or filter is in the way, and whether the address in the config is right.",
  }),
  "self-signed": untrustworthy(": its certificate is self-signed", interception),
  untrusted: untrustworthy(": nobody known here has issued its certificate", interception),
  expired: untrustworthy(": its certificate has expired", `${wrongClock} ${interception}`),
  "not-yet-valid": untrustworthy(": its certificate is not valid yet", `${wrongClock} ${interception}`),
  "wrong-name": untrustworthy(
    ": its certificate is for another name",
    `${interception} See, too, whether DNS is right about this name.`,
  ),
  tls: untrustworthy("", `${wrongClock} ${interception}`),
  answer: (host) => ({
    detail: `${host} takes the connection and does not answer`,
    remedy: "Try again later, and see whether it works in a browser on this machine.",
  }),
  redirect: (host, target) => ({
    detail: `${host} redirects to ${target ?? "another address"} instead of answering`,
    remedy:
      "Where this network has a sign-in page, sign in with a browser. If the service has moved, put its new address into " +
      "the config.",
  }),
};

function untrustworthy(reason: string, remedy: string) {
  return (host: string): NetworkExplanation => ({
    detail: `there is no trustworthy TLS connection to ${host}${reason}`,
    remedy,
  });
}

/** Explains a cause, the same for `moonbridge doctor` and for clients. `target`: where a redirect leads. */
export function explainNetworkCause(cause: NetworkCause, host: string, target?: string): NetworkExplanation {
  return explanations[cause](host, target);
}

/** The host that a `Location` header leads to; undefined for a path of the same host, and for anything but a URL. */
export function redirectTarget(location: string | undefined, host: string): string | undefined {
  if (location === undefined || !URL.canParse(location)) return undefined;
  const { hostname } = new URL(location);
  return hostname === host || hostname.length > maxQuotedHost ? undefined : hostname || undefined;
}

/** Characters of a host name that is quoted. */
const maxQuotedHost = 255;
