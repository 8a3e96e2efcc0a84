import { createHash } from "node:crypto";

/** A Lua script, which Redis runs in one step. */
export type RedisScript<Result> = {
  /** For messages of errors. */
  name: string;
  source: string;
  /** SHA-1 of the source in hex, by which Redis knows it. */
  sha1: string;
  /** Reads its reply; throws if that has another shape. */
  parse: (reply: unknown) => Result;
};

/** All keys that the source touches must be in its KEYS; numbers in replies lose their fractions. */
export function defineScript<Result>({
  name,
  source,
  parse,
}: Omit<RedisScript<Result>, "sha1">): RedisScript<Result> {
  return { name, source, parse, sha1: createHash("sha1").update(source).digest("hex") };
}
