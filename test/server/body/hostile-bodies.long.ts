import { expect, test } from "vitest";
import {
  chat,
  inMetadata,
  invalid,
  list,
  longestHealthCheck,
  megabyte,
  message,
  picture,
  post,
  startSmallMoonbridge,
} from "./small-moonbridge.js";

/** Upper bound of `/healthz` in milliseconds, twice what an idle machine may need, since another test runs beside it. */
const besideFifty = 4_000;

test.each([
  ["pictures of 20 MB", () => picture(20 * megabyte)],
  ["bodies of as many keys as are taken", () => inMetadata(`{${list(299_000, (at) => `"k${at}":1`)}}`)],
])(
  "fifty %s at once are answered, or told to come again, beside everything else",
  { timeout: 240_000 },
  async (_name, create) => {
    const { url, gateway, prober } = await startSmallMoonbridge();
    const body = Buffer.from(create());
    const small = Buffer.from(chat(message('"hello"')));
    await longestHealthCheck(prober);
    const responses = Array.from({ length: 50 }, () => post(url, body));
    expect(await post(url, small)).toBe("200");
    for (const response of await Promise.all(responses))
      expect(["200", invalid, "503 server_busy"]).toContain(response);
    expect(await longestHealthCheck(prober)).toBeLessThan(besideFifty);
    expect(await post(url, small)).toBe("200");
    gateway.kill("SIGTERM");
    expect(await gateway.exit).toBe(0);
  },
);
