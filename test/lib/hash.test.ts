import { expect, test } from "vitest";
import { hash, hashLong } from "../../src/lib/hash.js";

test("hashLong returns the same hash as hash for a long text, wherever its chunks end", async () => {
  for (const before of ["", "a", "ab"]) {
    const long = before + "🌉月\r\n".repeat(200_000);
    expect(await hashLong("scope", long)).toBe(hash("scope", long));
    expect(await hashLong("scope", `${long}x`)).not.toBe(hash("scope", long));
  }
});
