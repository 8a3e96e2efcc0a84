import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";
import { limits } from "../core/limits.js";
import { linkForbidden } from "./link-errors.js";

/** Names of this machine or its network, whatever they resolve to (RFC 6761, 6762, 8375; ICANN's `.internal`). */
const localZones = ["localhost", "localdomain", "local", "internal", "home.arpa"];

/** Ranges that `allowPrivate` permits. Not link-local, which has cloud metadata services. */
const privateRanges = new Set(["loopback", "private", "uniqueLocal"]);

/** Cloud metadata and credential services outside link-local; never permitted, since they hand out credentials. */
const metadataServices = new Set([
  "100.100.100.200", // Alibaba
  "168.63.129.16", // Azure, a public address
  "192.0.0.192", // Oracle
  "fd00:c1::a9fe:a9fe", // Oracle
  "fd00:ec2::254", // AWS
  "fd00:ec2::23", // AWS, credentials of EKS pods
  "fd20:ce::254", // Google
  "fd00:42::42", // Scaleway
]);

export type SsrfGuardOptions = {
  /** Permits private networks and this machine; never metadata services, other schemes or links with user names. */
  allowPrivate: boolean;
  /** Networks of this machine in CIDR notation; from its network interfaces by default. */
  ownNetworks?: () => string[];
};

/**
 * Protects against server-side request forgery: only public internet addresses may be fetched for a client, by http or
 * https. Call `checkLink` for each URL and `checkAddresses` for the addresses of its host, and connect only to those.
 */
export class SsrfGuard {
  readonly #allowPrivate: boolean;
  readonly #ownNetworks: () => string[];

  constructor({ allowPrivate, ownNetworks = listOwnNetworks }: SsrfGuardOptions) {
    this.#allowPrivate = allowPrivate;
    this.#ownNetworks = ownNetworks;
  }

  /**
   * The URL to request, its host in canonical form: `http://0x7f.1` is 127.0.0.1 (WHATWG URL). `redirectedFrom` is the
   * URL that redirects to `link`. Throws `link_forbidden`.
   */
  checkLink(link: string, redirectedFrom?: URL): URL {
    if (link.length > limits.linkLength) throw linkForbidden(undefined, "it is too long");
    if (!URL.canParse(link, redirectedFrom?.href))
      throw linkForbidden(undefined, "it is not a valid web address");
    const url = new URL(link, redirectedFrom);
    if (url.protocol !== "http:" && url.protocol !== "https:")
      throw linkForbidden(undefined, "only http and https links are fetched");
    if (url.username !== "" || url.password !== "")
      throw linkForbidden(url.hostname, "it contains a user name or a password");
    // The redirect would give up the protection against tampering that the https link has.
    if (redirectedFrom?.protocol === "https:" && url.protocol === "http:")
      throw linkForbidden(url.hostname, "it is a redirect from https to http");
    const address = url.hostname.replace(/^\[(.*)\]$/, "$1");
    if (isIP(address) === 0) this.#checkName(url.hostname);
    else this.checkAddresses(url.hostname, [address]);
    url.hash = "";
    return url;
  }

  /** Throws `link_forbidden` unless every one of a host's addresses is permitted. */
  checkAddresses(host: string, addresses: readonly string[]): void {
    for (const address of addresses) {
      const violation = this.#findViolation(address);
      if (violation !== undefined) throw linkForbidden(host, violation);
    }
  }

  #checkName(host: string): void {
    const name = host.replace(/\.$/, "");
    if (name.split(".").includes("")) throw linkForbidden(host, "its host is not a valid name");
    if (this.#allowPrivate) return;
    const isLocal = localZones.some((zone) => name === zone || name.endsWith(`.${zone}`));
    if (isLocal || !name.includes(".")) throw linkForbidden(host, "its host is a name of a private network");
  }

  #findViolation(address: string): string | undefined {
    // ipaddr.js and isIP agree on valid addresses. A zone (`%eth0`) names an interface of this machine.
    if (isIP(address) === 0 || address.includes("%")) return "its host leads to no plain address";
    const parsed = ipaddr.parse(address);
    if (metadataServices.has(parsed.toString())) return "it leads to a metadata service";
    const range = addressRange(parsed);
    if (privateRanges.has(range)) return this.#allowPrivate ? undefined : "it leads into a private network";
    if (range !== "unicast") return `it leads to an address that is not public (${rangeInWords(range)})`;
    if (!this.#allowPrivate && this.#isOwnNetwork(parsed))
      return "it leads into the network of Moonbridge itself";
    return undefined;
  }

  /** This machine's public address and its neighbours, which a firewall may open to this machine only. */
  #isOwnNetwork(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
    return this.#ownNetworks()
      .map((cidr) => ipaddr.parseCIDR(cidr))
      .some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
  }
}

/**
 * Of IPv6 only 2000::/3 is allocated. Addresses that embed an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo)
 * have a range of their own or lie outside, so they are refused whatever they embed.
 */
function addressRange(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  const range = address.range();
  const isAllocated = !("parts" in address) || (address.parts[0] ?? 0) >>> 13 === 1;
  return range === "unicast" && !isAllocated ? "unassigned" : range;
}

function rangeInWords(range: string): string {
  return range.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function listOwnNetworks(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.flatMap(({ cidr }) => cidr ?? []),
  );
}
