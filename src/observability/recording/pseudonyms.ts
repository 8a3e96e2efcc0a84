import { withoutWords } from "./masked-text.js";

/** The two forms of Kimi's ids (kimi-web.md §0.3). */
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-([0-9a-f]{2})[0-9a-f]{10}$/i;
const xid = /^[0-9a-v]{20}$/;
const nil = "00000000-0000-0000-0000-000000000000";

export function isId(value: string): boolean {
  return uuid.test(value) || xid.test(value);
}

/** A link as long as its stand-in has to be. */
const link = /^https?:\/\/[\x21-\x7e]{7,}$/;

export function isLink(value: string): boolean {
  return link.test(value);
}

/** Where the stand-in of a signed address points; the replay puts its own address there. */
const signedOrigin = "http://signed.invalid";

/** Made-up ids and addresses for those of a recording: the same one each time, so that what belongs together still does. */
export class StandIns {
  readonly #known = new Map<string, string>();
  readonly #first: number;

  /** `recorded`: how many exchanges an earlier recording has left; its stand-ins are not used again. */
  constructor(recorded = 0) {
    this.#first = recorded * 65_536 + 1;
  }

  /** An id of the same form. */
  id(value: string): string {
    if (value === nil) return value;
    return this.#for(value, (count) => {
      const kind = uuid.exec(value)?.[1];
      if (kind) return `00000000-0002-8000-8000-${kind}${count.toString(16).padStart(10, "0")}`;
      if (xid.test(value)) return `d${count.toString(32).padStart(19, "0")}`;
      return String(count).padStart(value.length, "x");
    });
  }

  /** A page: another one than that of any other address. */
  link(url: string): string {
    return this.#for(url, (count) => {
      const number = String(count);
      return withoutWords(url).slice(0, -number.length) + number;
    });
  }

  /** An address with a signature in it, which is as good as a login until it expires. */
  address(url: string): string {
    if (!URL.canParse(url)) return signedOrigin + this.signedPath(url);
    const { pathname, search } = new URL(url);
    return signedOrigin + this.signedPath(pathname + search);
  }

  /** The path of such an address, with its query. */
  signedPath(path: string): string {
    return this.#for(path, (count) => `/signed/${count}`);
  }

  /** The path of a call, without its query. */
  path(path: string): string {
    const segments = (path.split("?")[0] ?? "").split("/");
    return segments.map((segment) => this.#segment(segment)).join("/");
  }

  #segment(segment: string): string {
    if (isId(segment)) return this.id(segment);
    return /^[\w.-]{0,80}$/.test(segment) ? segment : withoutWords(segment);
  }

  #for(value: string, make: (count: number) => string): string {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const made = make(this.#first + this.#known.size);
    this.#known.set(value, made);
    return made;
  }
}
