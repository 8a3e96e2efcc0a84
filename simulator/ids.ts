import { randomBytes } from "node:crypto";

/** The first byte of the last UUID group identifies the kind (kimi-web.md §0.3). */
const kindPrefixes = { chat: "09", message: "0a", file: "00" };

/** Generates ids in Kimi's format; ids generated together are consecutive (kimi-web.md §0.3). */
export class IdGenerator {
  #counter = randomBytes(2).readUInt16BE() & 0xfff;

  /** A new id of this kind. */
  next(kind: keyof typeof kindPrefixes): string {
    this.#counter = (this.#counter + 1) & 0xfff;
    const time = Date.now().toString(16).padStart(11, "0");
    const counter = this.#counter.toString(16).padStart(3, "0");
    return `${time.slice(0, 8)}-${time.slice(8)}2-8${counter}-8000-${kindPrefixes[kind]}${randomBytes(5).toString("hex")}`;
  }
}

/** A random id of the legacy protocol: 20 characters of [0-9a-v] (kimi-web.md §0.3). */
export function legacyId(): string {
  return Array.from(randomBytes(20), (byte) => (byte & 31).toString(32)).join("");
}

/** True for the form of `legacyId`. */
export function isLegacyId(id: string): boolean {
  return /^[0-9a-v]{20}$/.test(id);
}

/**
 * `timestamp` (Unix milliseconds) as an ISO time with microseconds, the form of messages (kimi-web.md §2.5). `microseconds`
 * are the three digits after the milliseconds.
 */
export function messageTime(timestamp: number, microseconds = 113): string {
  return new Date(timestamp).toISOString().replace("Z", `${String(microseconds).padStart(3, "0")}Z`);
}

/** `timestamp` (Unix milliseconds) as an ISO time with nanoseconds, the form of blocks (kimi-web.md §2.5). */
export function blockTime(timestamp = Date.now()): string {
  const nanoseconds = Number(process.hrtime.bigint() % 1_000_000n);
  return new Date(timestamp).toISOString().replace("Z", `${String(nanoseconds).padStart(6, "0")}Z`);
}
