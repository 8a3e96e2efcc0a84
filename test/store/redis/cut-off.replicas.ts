import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Credentials, type RefreshTokens } from "../../../src/accounts/credentials.js";
import type { TokenPair } from "../../../src/core/token.js";
import { RedisStore } from "../../../src/store/redis/store.js";
import { RedisServer } from "./redis-server.js";
import { startTcpProxy } from "./tcp-proxy.js";

const encryptionKeys = [Buffer.alloc(32, 1)];

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

function token(name: string, seconds: number): string {
  const issued = Math.floor(Date.now() / 1_000);
  const claims = { sub: "user", name, iat: issued, exp: issued + seconds };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claims)}.x`;
}

const pair = (name: string, seconds = 900): TokenPair => ({
  accessToken: token(`access ${name}`, seconds),
  refreshToken: token(`refresh ${name}`, 7_776_000),
});

/** Kimi's side: each refresh token gives one pair; one that was used is refused, or gives another pair. */
class KimiTokens {
  readonly #used = new Set<string>();
  readonly #isTolerant: boolean;
  /** What the replicas have got, oldest first. */
  readonly issued: { replica: string; pair: TokenPair }[] = [];
  /** Called before the answer is given. */
  beforeAnswer: (replica: string) => Promise<void> = async () => {};

  constructor({ isTolerant }: { isTolerant: boolean }) {
    this.#isTolerant = isTolerant;
  }

  refreshFor(replica: string): RefreshTokens {
    return async (refreshToken) => {
      if (this.#used.has(refreshToken) && !this.#isTolerant) return "refused";
      this.#used.add(refreshToken);
      const issued = pair(`${replica} ${this.issued.length}`);
      this.issued.push({ replica, pair: issued });
      await this.beforeAnswer(replica);
      return issued;
    };
  }
}

async function startReplica(
  name: string,
  url: string,
  kimi: KimiTokens,
  account: string,
  initial: TokenPair,
) {
  const store = await RedisStore.open(url, encryptionKeys);
  const refresh = kimi.refreshFor(name);
  const credentials = await Credentials.open(account, initial, { store, refresh, warn: () => {} });
  onTestFinished(async () => {
    await credentials.close();
    await store.close();
  });
  return { store, accessToken: () => credentials.accessToken(AbortSignal.timeout(20_000)) };
}

/** One replica behind a network that is cut while Kimi answers its refresh, and another one that goes on. */
async function cutOffDuringRefresh(account: string, kimi: KimiTokens) {
  const initial = pair("initial", -10);
  const proxy = await startTcpProxy(server.port);
  const away = await startReplica("away", `redis://127.0.0.1:${proxy.port}`, kimi, account, initial);
  const other = await startReplica("other", server.url, kimi, account, initial);
  let letKimiAnswer = () => {};
  const answering = new Promise<void>((resolve) => {
    letKimiAnswer = resolve;
  });
  kimi.beforeAnswer = async (replica) => {
    if (replica !== "away") return;
    proxy.cut();
    await answering;
  };
  const tokenOfAway = away.accessToken();
  await expect.poll(() => kimi.issued.length, { timeout: 5_000 }).toBe(1);
  return { away, other, proxy, tokenOfAway, letKimiAnswer };
}

describe("a replica that is cut off while Kimi answers its refresh", () => {
  test("never overwrites what another replica has saved meanwhile", async () => {
    const kimi = new KimiTokens({ isTolerant: true });
    const { away, other, proxy, tokenOfAway, letKimiAnswer } = await cutOffDuringRefresh("tolerant", kimi);
    // Once the lock has expired.
    const saved = await other.accessToken();
    letKimiAnswer();
    await tokenOfAway;
    proxy.mend();
    await expect.poll(() => away.accessToken(), { timeout: 15_000 }).toBe(saved);
    expect((await other.store.findCredentials("tolerant"))?.current.accessToken).toBe(saved);
    expect(kimi.issued.map(({ replica }) => replica)).toEqual(["away", "other"]);
  });

  test("saves the only pair that is valid, where another replica was refused", async () => {
    const kimi = new KimiTokens({ isTolerant: false });
    const { other, proxy, tokenOfAway, letKimiAnswer } = await cutOffDuringRefresh("strict", kimi);
    await expect(other.accessToken()).rejects.toThrow(/refuses/);
    letKimiAnswer();
    const valid = await tokenOfAway;
    proxy.mend();
    const stored = async () => (await other.store.findCredentials("strict"))?.current.accessToken;
    await expect.poll(stored, { timeout: 15_000 }).toBe(valid);
    expect(await other.accessToken()).toBe(valid);
  });
});
