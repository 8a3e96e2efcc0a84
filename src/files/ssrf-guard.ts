import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";
import { limits } from "../core/limits.js";
import { forbidden } from "./link-errors.js";

/** Names of this machine or its own network, whatever they resolve to (RFC 6761, 6762, 8375; ICANN's `.internal`). */
const localZones = ["localhost", "localdomain", "local", "internal", "home.arpa"];

/** Ranges that `allowPrivate` opens. Link-local is none of them: cloud metadata lives there. */
const privateRanges = new Set(["loopback", "private", "uniqueLocal"]);

/** Cloud metadata and credential services outside link-local; they hand out passwords, so nothing opens them. */
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

export type GuardOptions = {
  /** Opens private networks and this machine; never metadata services, other schemes or user names. */
  allowPrivate: boolean;
  /** The networks this machine is in, as CIDR; by default what the system says at the moment. */
  ownNetworks?: () => string[];
};

/**
 * Decides which addresses may be fetched for a client: those of the public internet, by http or https. What a
 * name resolves to is to be checked too, and the connection must go to an address that was checked.
 */
export class Guard {
  readonly #allowPrivate: boolean;
  readonly #ownNetworks: () => string[];

  constructor({ allowPrivate, ownNetworks = networksOfThisMachine }: GuardOptions) {
    this.#allowPrivate = allowPrivate;
    this.#ownNetworks = ownNetworks;
  }

  /**
   * The link as it will be asked, its host in canonical spelling: `http://0x7f.1` is 127.0.0.1 (WHATWG URL).
   * `from` is where a redirect comes from. Throws `link_forbidden`.
   */
  checkLink(link: string, from?: URL): URL {
    if (link.length > limits.linkLength) throw forbidden(undefined, "it is too long");
    if (!URL.canParse(link, from?.href)) throw forbidden(undefined, "it is not a valid web address");
    const url = new URL(link, from);
    if (url.protocol !== "http:" && url.protocol !== "https:")
      throw forbidden(undefined, "only http and https links are fetched");
    if (url.username !== "" || url.password !== "")
      throw forbidden(url.hostname, "it contains a user name or a password");
    // Whoever gave an https link asked for a connection that nobody can change.
    if (from?.protocol === "https:" && url.protocol === "http:")
      throw forbidden(url.hostname, "it is a redirect from https to http");
    const address = url.hostname.replace(/^\[(.*)\]$/, "$1");
    if (isIP(address) === 0) this.#checkName(url.hostname);
    else this.checkAddresses(url.hostname, [address]);
    url.hash = "";
    return url;
  }

  /** Throws `link_forbidden` unless every single one of the addresses behind a host may be asked. */
  checkAddresses(host: string, addresses: readonly string[]): void {
    for (const address of addresses) {
      const rule = this.#ruleAgainst(address);
      if (rule !== undefined) throw forbidden(host, rule);
    }
  }

  #checkName(host: string): void {
    const name = host.replace(/\.$/, "");
    if (name.split(".").includes("")) throw forbidden(host, "its host is not a valid name");
    if (this.#allowPrivate) return;
    const isLocal = localZones.some((zone) => name === zone || name.endsWith(`.${zone}`));
    if (isLocal || !name.includes(".")) throw forbidden(host, "its host is a name of a private network");
  }

  #ruleAgainst(address: string): string | undefined {
    // What isIP takes ipaddr.js reads the same way; a zone names an interface of this machine.
    if (isIP(address) === 0 || address.includes("%")) return "its host leads to no plain address";
    const parsed = ipaddr.parse(address);
    if (metadataServices.has(parsed.toString())) return "it leads to a metadata service";
    const range = rangeOf(parsed);
    if (privateRanges.has(range)) return this.#allowPrivate ? undefined : "it leads into a private network";
    if (range !== "unicast") return `it leads to an address that is not public (${inWords(range)})`;
    if (!this.#allowPrivate && this.#isOwn(parsed)) return "it leads into the network of Moonbridge itself";
    return undefined;
  }

  /** This machine on its public address, and its neighbours: a firewall that keeps strangers out lets it in. */
  #isOwn(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
    return this.#ownNetworks()
      .map((cidr) => ipaddr.parseCIDR(cidr))
      .some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
  }
}

/**
 * Of IPv6 only 2000::/3 is given out. All that carries an IPv4 address inside (mapped, compatible, NAT64, 6to4,
 * Teredo) is a range of its own or lies outside, and so is refused whatever it carries.
 */
function rangeOf(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  const range = address.range();
  const isGivenOut = !("parts" in address) || (address.parts[0] ?? 0) >>> 13 === 1;
  return range === "unicast" && !isGivenOut ? "unassigned" : range;
}

function inWords(range: string): string {
  return range.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function networksOfThisMachine(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.flatMap(({ cidr }) => cidr ?? []),
  );
}
