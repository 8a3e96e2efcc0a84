import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { buildConnector, Client, type Dispatcher } from "undici";
import { Deadline } from "../core/deadline.js";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import { version } from "../lib/version.js";
import { proxyConnector } from "../proxy/connector.js";
import type { ChooseProxy } from "../proxy/proxy-rules.js";
import { preferredAddress } from "../proxy/tunnel.js";
import { deriveFileName } from "./file-name.js";
import { LinkBudget } from "./link-budget.js";
import { linkTooLarge, linkUnreachable, toLinkError } from "./link-errors.js";
import { detectMediaType, withExtension } from "./media-type.js";
import type { SsrfGuard } from "./ssrf-guard.js";

/** A file behind a link. */
export type LinkedFile = {
  /** The final address, after all redirects. */
  url: string;
  mediaType: string;
  name: string;
  /** In bytes; undefined if the server does not say. */
  size?: number;
};

/** The connection is closed by reading `body` to its end, by leaving its iteration early or by calling `close`. */
export type OpenLinkedFile = LinkedFile & { body: AsyncIterable<Buffer>; close(): void };

type ConnectorOptions = { timeout: number; autoSelectFamily: true; lookup: LookupFunction };

export type LinkFetcherOptions = {
  /** Resolves a host name to all of its addresses; the system's resolver by default. */
  resolve?: (hostname: string) => Promise<LookupAddress[]>;
  /**
   * The proxies that lead to links; by default none. A proxy is asked for an address that was checked here, never for a
   * name, which it could resolve to another one. What only the proxy could resolve is not fetched.
   */
  chooseProxy?: ChooseProxy;
  /** Creates a connector, which must only connect to addresses from `lookup`; undici's by default. */
  connector?: (options: ConnectorOptions) => buildConnector.connector;
  /** Overrides of the timeouts and of the largest file, for tests and configuration; from `limits` by default. */
  fetchLimits?: Partial<FetchLimits>;
};

/**
 * Timeouts in milliseconds; `idle`: no data inside the body; `total`: all links of a request; `speedWindow`: in each such
 * time a body must bring at least `limits.linkSpeedBytes`. `file`: size of the largest accepted file in bytes.
 */
type FetchLimits = {
  connect: number;
  headers: number;
  idle: number;
  speedWindow: number;
  total: number;
  file: number;
};

type LinkResponse = { url: URL; message: Dispatcher.ResponseData; close(): void };

const defaultLimits: FetchLimits = {
  connect: limits.connect,
  headers: limits.linkHeaders,
  idle: limits.linkIdle,
  speedWindow: limits.linkSpeedWindow,
  total: limits.linkFetch,
  file: limits.file,
};

/** Deliberately without cookies, authorization and referrer, which would reveal the user or an earlier hop. */
const requestHeaders = {
  "user-agent": `Moonbridge/${version}`,
  accept: "*/*",
  "accept-encoding": "identity",
};

const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/** Responses of servers that do not support HEAD; links signed for GET refuse it with 403. */
const headRefusedStatuses = new Set([403, 404, 405, 501]);

/**
 * Fetches links from requests. The guard checks every hop; each hop has its own connection, to an address that was
 * checked: a name is resolved once per connection, which defeats DNS rebinding. Throws only GatewayError:
 * `link_forbidden`, `link_unreachable`, `file_rejected`, or the signal's reason.
 */
export class LinkFetcher {
  readonly #guard: SsrfGuard;
  readonly #resolve: (hostname: string) => Promise<LookupAddress[]>;
  readonly #connector: buildConnector.connector;
  readonly #limits: FetchLimits;

  constructor(guard: SsrfGuard, options: LinkFetcherOptions = {}) {
    this.#guard = guard;
    this.#resolve = options.resolve ?? ((hostname) => lookup(hostname, { all: true }));
    this.#limits = { ...defaultLimits, ...options.fetchLimits };
    const timeout = this.#limits.connect;
    const direct = (options.connector ?? buildConnector)({
      timeout,
      autoSelectFamily: true,
      lookup: (hostname, _options, done) => {
        this.#lookUp(hostname).then(
          (addresses) => done(null, addresses),
          (error: NodeJS.ErrnoException) => done(error, []),
        );
      },
    });
    this.#connector = proxyConnector(direct, {
      timeout,
      chooseProxy: options.chooseProxy ?? (() => undefined),
      resolveTarget: (hostname) => this.#addressFor(hostname),
    });
  }

  /** Name, type and size of a linked file, without its body. */
  async describe(link: string, signal: AbortSignal): Promise<LinkedFile> {
    const deadline = this.#deadline(signal, this.createBudget());
    try {
      const response = await this.#followRedirects("HEAD", link, deadline.signal);
      response.close();
      return toLinkedFile(response);
    } finally {
      deadline.clear();
    }
  }

  /** The time for all links of one request. */
  createBudget(): LinkBudget {
    return new LinkBudget(this.#limits.total);
  }

  /** Opens a linked file for streaming. The time until it is closed is taken from the budget. */
  async open(link: string, signal: AbortSignal, budget = this.createBudget()): Promise<OpenLinkedFile> {
    const deadline = this.#deadline(signal, budget);
    const stopClock = budget.startClock();
    try {
      const response = await this.#followRedirects("GET", link, deadline.signal);
      const close = () => {
        deadline.clear();
        stopClock();
        response.close();
      };
      const file = toLinkedFile(response);
      if ((file.size ?? 0) > this.#limits.file) {
        close();
        throw linkTooLarge(response.url.hostname, this.#limits.file);
      }
      return { ...file, body: this.#readBody(response, deadline.signal, close), close };
    } catch (error) {
      deadline.clear();
      stopClock();
      throw error;
    }
  }

  #deadline(signal: AbortSignal, { remaining, seconds }: LinkBudget): Deadline {
    const timeoutError = () =>
      new GatewayError(
        "link_unreachable",
        `Fetching the links of this request took too long and was stopped: all of them may take ${seconds} s together.`,
      );
    return new Deadline(signal, remaining, timeoutError);
  }

  /** Follows redirects to the response with the file; repeats HEAD as GET if the server does not support HEAD. */
  async #followRedirects(method: "HEAD" | "GET", link: string, signal: AbortSignal): Promise<LinkResponse> {
    let url = this.#guard.checkLink(link);
    let currentMethod = method;
    let redirectCount = 0;
    for (;;) {
      const response = await this.#request(currentMethod, url, signal);
      try {
        const status = response.message.statusCode;
        if (redirectStatuses.has(status)) {
          if (++redirectCount > limits.linkRedirects)
            throw linkUnreachable(url.hostname, "it redirects too often");
          url = this.#guard.checkLink(redirectTarget(response), url);
        } else if (currentMethod === "HEAD" && headRefusedStatuses.has(status)) {
          currentMethod = "GET";
        } else {
          checkContent(response);
          return response;
        }
      } catch (error) {
        response.close();
        throw error;
      }
      response.close();
    }
  }

  /** One request on its own connection. */
  async #request(method: "HEAD" | "GET", url: URL, signal: AbortSignal): Promise<LinkResponse> {
    const client = new Client(url.origin, {
      connect: this.#connector,
      headersTimeout: this.#limits.headers,
      bodyTimeout: this.#limits.idle,
      maxHeaderSize: limits.linkHeaderSize,
      // Sends `connection: close`.
      pipelining: 0,
    });
    const close = () => {
      signal.removeEventListener("abort", close);
      client.destroy().catch(() => {});
    };
    signal.addEventListener("abort", close);
    let interimResponses = 0;
    const onInfo = () => {
      if (++interimResponses > limits.linkInformationalResponses) close();
    };
    try {
      signal.throwIfAborted();
      const path = url.pathname + url.search;
      return { url, message: await client.request({ method, path, headers: requestHeaders, onInfo }), close };
    } catch (cause) {
      close();
      throw toLinkError(url.hostname, cause, signal);
    }
  }

  async *#readBody(
    { url, message }: LinkResponse,
    signal: AbortSignal,
    close: () => void,
  ): AsyncGenerator<Buffer> {
    let size = 0;
    let sizeBefore = 0;
    let isTooSlow = false;
    const speedTimer = setInterval(() => {
      isTooSlow = size - sizeBefore < limits.linkSpeedBytes;
      sizeBefore = size;
      if (isTooSlow) close();
    }, this.#limits.speedWindow);
    try {
      for await (const chunk of message.body) {
        size += chunk.length;
        if (size > this.#limits.file) throw linkTooLarge(url.hostname, this.#limits.file);
        yield chunk;
      }
    } catch (cause) {
      if (isTooSlow) throw linkUnreachable(url.hostname, "its server sends too slowly");
      throw toLinkError(url.hostname, cause, signal);
    } finally {
      clearInterval(speedTimer);
      close();
    }
  }

  /** The checked address of a link's host that a proxy is asked for; `checkLink` has checked an address in the link. */
  async #addressFor(hostname: string): Promise<string> {
    if (isIP(hostname) !== 0) return hostname;
    return preferredAddress(await this.#lookUp(hostname)) ?? hostname;
  }

  async #lookUp(hostname: string): Promise<LookupAddress[]> {
    const addresses = await this.#resolve(hostname);
    if (addresses.length === 0) throw linkUnreachable(hostname, "its host has no address");
    this.#guard.checkAddresses(
      hostname,
      addresses.map(({ address }) => address),
    );
    return addresses;
  }
}

function toLinkedFile({ url, message }: LinkResponse): LinkedFile {
  const rawName = deriveFileName(header(message, "content-disposition"), url);
  const mediaType = detectMediaType(header(message, "content-type"), rawName);
  const length = header(message, "content-length") ?? "";
  return {
    url: url.href,
    mediaType,
    name: withExtension(rawName, mediaType),
    ...(/^\d{1,15}$/.test(length) ? { size: Number(length) } : {}),
  };
}

/** Throws `link_unreachable` unless the response carries the whole file, unencoded. */
function checkContent({ url, message }: LinkResponse): void {
  const status = message.statusCode;
  if (status === 204 || status === 304)
    throw linkUnreachable(url.hostname, `its server sends no content (${status})`);
  if (status !== 200 && status !== 203)
    throw linkUnreachable(url.hostname, `its server answered with status ${status}`);
  const codings = [header(message, "content-encoding"), header(message, "transfer-encoding")].join();
  if (/[^\s,]/.test(codings.replace(/\b(identity|chunked)\b/gi, "")))
    throw linkUnreachable(url.hostname, "its server sends it compressed, which it was asked not to do");
}

function redirectTarget({ url, message }: LinkResponse): string {
  const target = header(message, "location");
  if (!target) throw linkUnreachable(url.hostname, "it redirects to nowhere");
  return target;
}

/** First header of this name. Headers arrive as Latin-1; a value whose bytes are valid UTF-8 is decoded as UTF-8. */
function header({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  const value = [headers[name]].flat()[0];
  if (value === undefined) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(value, "latin1"));
  } catch {
    return value;
  }
}
