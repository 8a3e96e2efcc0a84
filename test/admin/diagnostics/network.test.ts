import { expect, test } from "vitest";
import { checkReachability, probeAddress } from "../../../src/admin/diagnostics/network.js";

test("a name that cannot be looked up", async () => {
  // A DNS label has at most 63 characters, so no DNS server is queried.
  const address = `http://${"a".repeat(64)}.invalid`;
  expect(checkReachability(await probeAddress(address, new AbortController().signal))).toMatchObject({
    state: "fail",
    detail: expect.stringMatching(/^the name a{64}\.invalid cannot be looked up \(E/),
    remedy: expect.stringMatching(/DNS/),
  });
});

test("a site that answers with status 5xx", () => {
  const probe = {
    address: "https://x.example",
    reached: true,
    status: 503,
    milliseconds: 1,
    clockAhead: 0,
  } as const;
  expect(checkReachability(probe)).toMatchObject({ what: "network https://x.example", state: "warn" });
});
