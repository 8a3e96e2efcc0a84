import { randomBytes } from "node:crypto";

/** The first byte of the last group tells the kind (kimi-web.md §0.3). */
const kinds = { chat: "09", message: "0a", file: "00" };

/** Ids shaped like Kimi's; those minted in one go are consecutive (kimi-web.md §0.3). */
export class IdMint {
  #counter = randomBytes(2).readUInt16BE() & 0xfff;

  next(kind: keyof typeof kinds): string {
    this.#counter = (this.#counter + 1) & 0xfff;
    const time = Date.now().toString(16).padStart(11, "0");
    const counter = this.#counter.toString(16).padStart(3, "0");
    return `${time.slice(0, 8)}-${time.slice(8)}2-8${counter}-8000-${kinds[kind]}${randomBytes(5).toString("hex")}`;
  }
}

/** The ids of the legacy protocol: 20 characters of [0-9a-v] (kimi-web.md §0.3). */
export function xid(): string {
  return Array.from(randomBytes(20), (byte) => (byte & 31).toString(32)).join("");
}

/** Message times carry microseconds (kimi-web.md §2.5). */
export function messageTime(at: number, microseconds = 113): string {
  return new Date(at).toISOString().replace("Z", `${String(microseconds).padStart(3, "0")}Z`);
}

/** Block times carry nanoseconds (kimi-web.md §2.5). */
export function blockTime(at = Date.now()): string {
  const rest = Number(process.hrtime.bigint() % 1_000_000n);
  return new Date(at).toISOString().replace("Z", `${String(rest).padStart(6, "0")}Z`);
}
