import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { buildConnector, Client, type Dispatcher } from "undici";
import { Deadline } from "../core/deadline.js";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import { version } from "../lib/version.js";
import { fileName } from "./file-name.js";
import { failureOf, tooLarge, unreachable } from "./link-errors.js";
import { mediaTypeOf, withExtension } from "./media-type.js";
import type { Guard } from "./ssrf-guard.js";

/** What is behind a link. */
export type LinkedFile = {
  /** After all redirects. */
  url: string;
  mediaType: string;
  name: string;
  /** In bytes, where the server tells. */
  size?: number;
};

/** Read `body` to its end, leave its iteration, or call `close`: each closes the connection. */
export type OpenLinkedFile = LinkedFile & { body: AsyncIterable<Buffer>; close(): void };

type ConnectorOptions = { timeout: number; autoSelectFamily: true; lookup: LookupFunction };

export type LinkFetcherOptions = {
  /** All addresses of a name; the system's resolver by default. */
  resolve?: (hostname: string) => Promise<LookupAddress[]>;
  /** Makes what connects to the addresses that `lookup` gives, and to no others; undici's by default. */
  connector?: (options: ConnectorOptions) => buildConnector.connector;
  /** Milliseconds, and bytes of a file; `limits` by default. */
  bounds?: Partial<Bounds>;
};

type Bounds = { connect: number; headers: number; silence: number; total: number; file: number };

type Answer = { url: URL; response: Dispatcher.ResponseData; close(): void };

const defaultBounds: Bounds = {
  connect: limits.connect,
  headers: limits.linkHeaders,
  silence: limits.linkSilence,
  total: limits.linkFetch,
  file: limits.file,
};

/** Nothing of the person's, and nothing of an earlier hop's: no cookies, no authorization, no referrer. */
const headers = { "user-agent": `Moonbridge/${version}`, accept: "*/*", "accept-encoding": "identity" };

const redirects = new Set([301, 302, 303, 307, 308]);

/** Answers of servers that have no HEAD; links that are signed for GET refuse it with 403. */
const refusedHead = new Set([403, 404, 405, 501]);

/**
 * Fetches the links of clients. Every hop is checked by the guard, gets a connection of its own, and that goes to
 * an address that was checked: a name is resolved once for each connection. Throws GatewayError and nothing else:
 * `link_forbidden`, `link_unreachable`, `file_rejected`, or the reason of the signal.
 */
export class LinkFetcher {
  readonly #guard: Guard;
  readonly #resolve: (hostname: string) => Promise<LookupAddress[]>;
  readonly #connector: buildConnector.connector;
  readonly #bounds: Bounds;

  constructor(guard: Guard, options: LinkFetcherOptions = {}) {
    this.#guard = guard;
    this.#resolve = options.resolve ?? ((hostname) => lookup(hostname, { all: true }));
    this.#bounds = { ...defaultBounds, ...options.bounds };
    this.#connector = (options.connector ?? buildConnector)({
      timeout: this.#bounds.connect,
      autoSelectFamily: true,
      lookup: (hostname, _options, done) => {
        this.#addressesOf(hostname).then(
          (addresses) => done(null, addresses),
          (error: NodeJS.ErrnoException) => done(error, []),
        );
      },
    });
  }

  /** What a link is, without reading it. */
  async describe(link: string, signal: AbortSignal): Promise<LinkedFile> {
    const deadline = this.#deadline(signal);
    try {
      const answer = await this.#follow("HEAD", link, deadline.signal);
      answer.close();
      return fileOf(answer);
    } finally {
      deadline.clear();
    }
  }

  /** The file behind a link, as it arrives. */
  async open(link: string, signal: AbortSignal): Promise<OpenLinkedFile> {
    const deadline = this.#deadline(signal);
    try {
      const answer = await this.#follow("GET", link, deadline.signal);
      const close = () => {
        deadline.clear();
        answer.close();
      };
      const file = fileOf(answer);
      if ((file.size ?? 0) > this.#bounds.file) {
        close();
        throw tooLarge(answer.url.hostname, this.#bounds.file);
      }
      return { ...file, body: this.#read(answer, deadline.signal, close), close };
    } catch (error) {
      deadline.clear();
      throw error;
    }
  }

  #deadline(signal: AbortSignal): Deadline {
    const late = () =>
      new GatewayError("link_unreachable", "Fetching this link took too long and was stopped.");
    return new Deadline(signal, this.#bounds.total, late);
  }

  /** The answer that has the file, after redirects, and by GET where the server has no HEAD. */
  async #follow(method: "HEAD" | "GET", link: string, signal: AbortSignal): Promise<Answer> {
    let url = this.#guard.checkLink(link);
    let verb = method;
    let followed = 0;
    for (;;) {
      const answer = await this.#ask(verb, url, signal);
      try {
        const status = answer.response.statusCode;
        if (redirects.has(status)) {
          if (++followed > limits.linkRedirects) throw unreachable(url.hostname, "it redirects too often");
          url = this.#guard.checkLink(location(answer), url);
        } else if (verb === "HEAD" && refusedHead.has(status)) {
          verb = "GET";
        } else {
          checkContent(answer);
          return answer;
        }
      } catch (error) {
        answer.close();
        throw error;
      }
      answer.close();
    }
  }

  /** One request over a connection of its own. */
  async #ask(method: "HEAD" | "GET", url: URL, signal: AbortSignal): Promise<Answer> {
    const client = new Client(url.origin, {
      connect: this.#connector,
      headersTimeout: this.#bounds.headers,
      bodyTimeout: this.#bounds.silence,
      maxHeaderSize: limits.linkHeaderSize,
      // Asks for the connection to be closed after its one answer.
      pipelining: 0,
    });
    const close = () => {
      signal.removeEventListener("abort", close);
      client.destroy().catch(() => {});
    };
    signal.addEventListener("abort", close);
    let interim = 0;
    const onInfo = () => {
      if (++interim > limits.linkInterim) close();
    };
    try {
      signal.throwIfAborted();
      const path = url.pathname + url.search;
      return { url, response: await client.request({ method, path, headers, onInfo }), close };
    } catch (cause) {
      close();
      throw failureOf(url.hostname, cause, signal);
    }
  }

  async *#read({ url, response }: Answer, signal: AbortSignal, close: () => void): AsyncGenerator<Buffer> {
    let size = 0;
    try {
      for await (const chunk of response.body) {
        size += chunk.length;
        if (size > this.#bounds.file) throw tooLarge(url.hostname, this.#bounds.file);
        yield chunk;
      }
    } catch (cause) {
      throw failureOf(url.hostname, cause, signal);
    } finally {
      close();
    }
  }

  async #addressesOf(hostname: string): Promise<LookupAddress[]> {
    const found = await this.#resolve(hostname);
    if (found.length === 0) throw unreachable(hostname, "its host has no address");
    this.#guard.checkAddresses(
      hostname,
      found.map(({ address }) => address),
    );
    return found;
  }
}

function fileOf({ url, response }: Answer): LinkedFile {
  const rawName = fileName(header(response, "content-disposition"), url);
  const mediaType = mediaTypeOf(header(response, "content-type"), rawName);
  const length = header(response, "content-length") ?? "";
  return {
    url: url.href,
    mediaType,
    name: withExtension(rawName, mediaType),
    ...(/^\d{1,15}$/.test(length) ? { size: Number(length) } : {}),
  };
}

/** Throws `link_unreachable` unless the answer has the file itself, as it is. */
function checkContent({ url, response }: Answer): void {
  const status = response.statusCode;
  if (status === 204 || status === 304)
    throw unreachable(url.hostname, `its server sends no content (${status})`);
  if (status !== 200 && status !== 203)
    throw unreachable(url.hostname, `its server answered with status ${status}`);
  const codings = [header(response, "content-encoding"), header(response, "transfer-encoding")].join();
  if (/[^\s,]/.test(codings.replace(/\b(identity|chunked)\b/gi, "")))
    throw unreachable(url.hostname, "its server sends it compressed, which it was asked not to do");
}

function location({ url, response }: Answer): string {
  const target = header(response, "location");
  if (!target) throw unreachable(url.hostname, "it redirects to nowhere");
  return target;
}

/** The first of this name. Headers arrive as Latin-1; what is UTF-8 by its bytes is meant as such. */
function header({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  const value = [headers[name]].flat()[0];
  if (value === undefined) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(value, "latin1"));
  } catch {
    return value;
  }
}
