import { maskLetters } from "./text-masker.js";

/** The two forms of Kimi's ids (kimi-web.md §0.3). */
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-([0-9a-f]{2})[0-9a-f]{10}$/i;
const xid = /^[0-9a-v]{20}$/;
const nilUuid = "00000000-0000-0000-0000-000000000000";

/** Whether the value has the form of one of Kimi's ids. */
export function isId(value: string): boolean {
  return uuid.test(value) || xid.test(value);
}

const link = /^https?:\/\/[\x21-\x7e]{7,}$/;

/** Whether the value is a URL that is long enough to be replaced by its pseudonym. */
export function isMaskableLink(value: string): boolean {
  return link.test(value);
}

/** The origin of pseudonymous signed URLs; a replay substitutes its own address. */
const signedOrigin = "http://signed.invalid";

/** Replaces ids and URLs consistently within a recording: equal values get equal pseudonyms of the same form. */
export class Pseudonyms {
  readonly #pseudonymOf = new Map<string, string>();
  readonly #firstNumber: number;

  /** `recorded`: the number of calls already in the folder, whose pseudonyms are not used again. */
  constructor(recorded = 0) {
    this.#firstNumber = recorded * 65_536 + 1;
  }

  /** An id of the same form as `value`. */
  id(value: string): string {
    if (value === nilUuid) return value;
    return this.#pseudonymize(value, (count) => {
      const kind = uuid.exec(value)?.[1];
      if (kind) return `00000000-0002-8000-8000-${kind}${count.toString(16).padStart(10, "0")}`;
      if (xid.test(value)) return `d${count.toString(32).padStart(19, "0")}`;
      return String(count).padStart(value.length, "x");
    });
  }

  /** A masked URL that differs from that of every other URL. */
  link(url: string): string {
    return this.#pseudonymize(url, (count) => {
      const number = String(count);
      return maskLetters(url).slice(0, -number.length) + number;
    });
  }

  /** Replaces a signed URL, which grants access until it expires. */
  signedUrl(url: string): string {
    if (!URL.canParse(url)) return signedOrigin + this.signedPath(url);
    const { pathname, search } = new URL(url);
    return signedOrigin + this.signedPath(pathname + search);
  }

  /** Replaces the path and query of a signed URL. */
  signedPath(path: string): string {
    return this.#pseudonymize(path, (count) => `/signed/${count}`);
  }

  /** A request path without its query, with ids replaced and unusual segments masked. */
  path(path: string): string {
    const segments = (path.split("?")[0] ?? "").split("/");
    return segments.map((segment) => this.#segment(segment)).join("/");
  }

  #segment(segment: string): string {
    if (isId(segment)) return this.id(segment);
    return /^[\w.-]{0,80}$/.test(segment) ? segment : maskLetters(segment);
  }

  #pseudonymize(value: string, create: (count: number) => string): string {
    const known = this.#pseudonymOf.get(value);
    if (known !== undefined) return known;
    const pseudonym = create(this.#firstNumber + this.#pseudonymOf.size);
    this.#pseudonymOf.set(value, pseudonym);
    return pseudonym;
  }
}
