import ipaddr from "ipaddr.js";

/** Whether an entry covers a host and port. `host` is lower-case, IPv6 without brackets. */
type Entry = (host: string, port: number) => boolean;

/**
 * The targets that NO_PROXY excludes. Entries are separated by commas or white space: `*`; a name, which covers its
 * subdomains too, with or without `.` or `*.` before it; an address; a network in CIDR notation; each but the last may
 * have a port.
 */
export class NoProxyList {
  readonly #entries: readonly Entry[];

  constructor(text: string) {
    this.#entries = text
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((entry) => entry !== "")
      .map(parseEntry);
  }

  covers(target: URL): boolean {
    const host = hostOf(target);
    const port = Number(target.port) || (target.protocol === "https:" ? 443 : 80);
    return this.#entries.some((covers) => covers(host, port));
  }
}

/** Whether a target is on this machine by its name or address. */
export function isOnThisMachine(target: URL): boolean {
  const host = hostOf(target);
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  return parseAddress(host)?.range() === "loopback";
}

/** The host without brackets and without the dot of a fully qualified name. */
function hostOf({ hostname }: URL): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
}

function parseEntry(text: string): Entry {
  if (text === "*") return () => true;
  if (ipaddr.isValidCIDR(text)) return networkEntry(text);
  const [, bracketed, plain, portText] = /^(?:\[(.*)\]|(.*?))(?::(\d+))?$/.exec(text) ?? [];
  // An IPv6 address without brackets has no port.
  const isAddress = ipaddr.isValid(text);
  const host = isAddress ? text : (bracketed ?? plain ?? text);
  const entryPort = isAddress || portText === undefined ? undefined : Number(portText);
  const coversHost = parseAddress(host) ? addressEntry(host) : nameEntry(host);
  return (target, port) => (entryPort ?? port) === port && coversHost(target);
}

function networkEntry(text: string): Entry {
  const [network, bits] = ipaddr.parseCIDR(text);
  return (host) => {
    const address = parseAddress(host);
    return address?.kind() === network.kind() && address.match(network, bits);
  };
}

function addressEntry(text: string): (host: string) => boolean {
  const address = parseAddress(text)?.toNormalizedString();
  return (host) => parseAddress(host)?.toNormalizedString() === address;
}

function nameEntry(text: string): (host: string) => boolean {
  const name = text.replace(/^\*?\./, "").replace(/\.$/, "");
  return (host) => host === name || host.endsWith(`.${name}`);
}

/** IPv4 that is mapped into IPv6 counts as IPv4. Undefined for a name. */
function parseAddress(host: string) {
  return ipaddr.IPv4.isValidFourPartDecimal(host) || ipaddr.IPv6.isValid(host)
    ? ipaddr.process(host)
    : undefined;
}
