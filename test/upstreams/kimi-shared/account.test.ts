import { expect, onTestFinished, test } from "vitest";
import { startSimulator } from "../../../simulator/index.js";
import type { FileContent } from "../../../src/core/types.js";
import { ProtocolDrift } from "../../../src/observability/protocol-drift.js";
import { kindOf } from "../../../src/upstreams/registry.js";
import { createInMemoryStorage, InMemoryStore } from "../../store/in-memory-store.js";
import { kinds } from "../kimi-sides.js";

const file: FileContent = {
  ...{ name: "a.txt", mediaType: "text/plain", size: 5 },
  async *read() {
    yield Buffer.from("hello");
  },
};

test.each(kinds)(
  "%s: a call whose token Kimi rejects is repeated with a refreshed one, whose predecessor goes when Kimi has accepted it",
  async (kind) => {
    const simulator = await startSimulator();
    const store = new InMemoryStore(createInMemoryStorage());
    const before = simulator.issue();
    simulator.expireAccessTokens();
    const settings = { name: "me", kind, baseUrl: simulator.url, ...before };
    const entry = kind === "kimi-web" ? { ...settings, authUrl: simulator.url } : settings;
    const upstream = await kindOf(entry).open(entry, { store, drift: new ProtocolDrift(), warn: () => {} });
    onTestFinished(async () => {
      await upstream.close();
      await simulator.close();
    });
    // Uploads are the calls that both protocols have.
    expect(await upstream.upload?.(file, AbortSignal.timeout(20_000))).toMatch(/./);
    const refreshes = simulator.calls.filter(({ path }) => /refresh/i.test(path));
    expect(refreshes).toHaveLength(1);
    await expect
      .poll(async () => store.findCredentials("me"))
      .toMatchObject({ current: { accessToken: expect.not.stringMatching(before.accessToken) } });
    await expect.poll(async () => (await store.findCredentials("me"))?.previous).toBeUndefined();
  },
);
