/** How a proxy is spoken to; `socks5h` looks up names itself, for `socks5` Moonbridge does. */
type ProxyScheme = "http" | "https" | "socks5" | "socks5h";

type ProxyCredentials = { user: string; password: string };

const defaultPorts: Record<ProxyScheme, number> = { http: 80, https: 443, socks5: 1_080, socks5h: 1_080 };

/** `socks:` is what GNOME writes into ALL_PROXY. */
const schemes = new Map<string, ProxyScheme>([
  ["http:", "http"],
  ["https:", "https"],
  ["socks5:", "socks5"],
  ["socks5h:", "socks5h"],
  ["socks:", "socks5h"],
]);

/** Of a user name and of a password each, in bytes (RFC 1929). */
const maxCredentialBytes = 255;

/** A proxy. User name and password are private, so that no log, error or JSON of it can contain them. */
export class ProxyServer {
  readonly scheme: ProxyScheme;
  /** A name or an address, IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Its address without user name and password, as errors and the log name it. */
  readonly label: string;
  readonly #credentials: ProxyCredentials | undefined;

  private constructor(
    scheme: ProxyScheme,
    host: string,
    port: number,
    credentials: ProxyCredentials | undefined,
  ) {
    this.scheme = scheme;
    this.hostname = host.replace(/^\[(.*)\]$/, "$1");
    this.port = port;
    this.label = `${scheme}://${host}:${port}`;
    this.#credentials = credentials;
  }

  /** Parses `SCHEME://[USER:PASSWORD@]HOST[:PORT]`; undefined unless it is the address of a proxy. */
  static parse(text: string): ProxyServer | undefined {
    if (!URL.canParse(text)) return undefined;
    const { protocol, hostname, port, pathname, search, hash, username, password } = new URL(text);
    const scheme = schemes.get(protocol);
    const hasRest = !["", "/"].includes(pathname) || search !== "" || hash !== "";
    // The URL parser leaves hosts of schemes that it does not know as they are.
    const isHost = /^([\w.-]+|\[[\da-f:.]+\])$/i.test(hostname);
    if (!scheme || hasRest || !isHost) return undefined;
    const credentials = decodeCredentials(username, password);
    if (credentials === "invalid") return undefined;
    return new ProxyServer(scheme, hostname, port === "" ? defaultPorts[scheme] : Number(port), credentials);
  }

  /** For the proxy itself only. */
  revealCredentials(): ProxyCredentials | undefined {
    return this.#credentials;
  }
}

function decodeCredentials(
  encodedUser: string,
  encodedPassword: string,
): ProxyCredentials | undefined | "invalid" {
  if (encodedUser === "" && encodedPassword === "") return undefined;
  try {
    const [user, password] = [decodeURIComponent(encodedUser), decodeURIComponent(encodedPassword)];
    const isTooLong = [user, password].some((each) => Buffer.byteLength(each) > maxCredentialBytes);
    return isTooLong ? "invalid" : { user, password };
  } catch {
    return "invalid";
  }
}
