import { expect, test } from "vitest";
import { hash, hashLong } from "../../src/lib/hash.js";

test("a long part has the same name whether it is hashed at once or in slices, wherever a slice ends", async () => {
  for (const before of ["", "a", "ab"]) {
    const long = before + "🌉月\r\n".repeat(200_000);
    expect(await hashLong("scope", long)).toBe(hash("scope", long));
    expect(await hashLong("scope", `${long}x`)).not.toBe(hash("scope", long));
  }
});
