import { readdirSync } from "node:fs";
import { request } from "node:http";
import { expect, test } from "vitest";
import { type Gateway, startGateway } from "../gateway.js";

const browser = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

/** The names of the built files without their compressed forms; `npm run build` writes them. */
const assets = readdirSync("dist/console/console").filter((name) => !/\.(br|gz)$/.test(name));

/** The status for a path that is sent as it is, and decoded by nobody. */
function rawGet(
  gateway: Gateway,
  path: string,
  headers: Record<string, string> = {},
): Promise<number | undefined> {
  const { port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1", path, headers }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    })
      .on("error", reject)
      .end();
  });
}

test.each(["/", "/connect"])(
  "a browser gets the console at %s, with a nonce of its own in each answer",
  async (path) => {
    const gateway = await startGateway();
    const answers = await Promise.all(
      [1, 2].map(() => fetch(new URL(path, gateway.url), { headers: browser })),
    );
    const nonces = answers.map(
      ({ headers }) =>
        /style-src 'self' 'nonce-([^']+)'/.exec(headers.get("content-security-policy") ?? "")?.[1],
    );
    const pages = await Promise.all(answers.map((answer) => answer.text()));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(new Set(nonces).size).toBe(2);
    expect(pages.map((page, index) => page.includes(`nonce="${nonces[index]}"`))).toEqual([true, true]);
    expect(pages[0]).not.toContain("STYLE_NONCE");
  },
);

test("the page's policy allows no inline script, no other origin and no frame, and the page is not kept", async () => {
  const gateway = await startGateway();
  const { headers } = await fetch(gateway.url, { headers: browser });
  const policy = headers.get("content-security-policy")?.split("; ") ?? [];
  expect(policy).toEqual(
    expect.arrayContaining([
      "default-src 'none'",
      "script-src 'self'",
      "connect-src 'self'",
      "frame-ancestors 'none'",
    ]),
  );
  expect(headers.get("cache-control")).toBe("no-store");
  expect(headers.get("vary")).toContain("accept");
});

test("a program gets at / who this is, as JSON", async () => {
  const gateway = await startGateway();
  const answer = await fetch(gateway.url, { headers: { accept: "*/*" } });
  expect(await answer.json()).toMatchObject({ name: "moonbridge" });
});

test.each(["br", "gzip"])(
  "files of the console are sent packed as %s, and may be kept for ever",
  async (encoding) => {
    const gateway = await startGateway();
    const scripts = assets.filter((name) => /\.(js|css)$/.test(name));
    expect(scripts.length).toBeGreaterThan(1);
    for (const name of scripts) {
      const url = new URL(`/console/${name}`, gateway.url);
      const { status, headers } = await fetch(url, { headers: { "accept-encoding": encoding } });
      expect([name, status, headers.get("content-encoding")]).toEqual([name, 200, encoding]);
      expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    }
  },
);

test("no path below /console/ leads out of its folder", async () => {
  const gateway = await startGateway();
  const paths = [
    "/console/../index.html",
    "/console/../../package.json",
    "/console/..%2f..%2fpackage.json",
    "/console/%2e%2e/%2e%2e/package.json",
    "/console/..%5c..%5cpackage.json",
    "/console//etc/passwd",
    "/console/%00",
    "/console/",
  ];
  const statuses = await Promise.all(paths.map((path) => rawGet(gateway, path)));
  expect(statuses).toEqual(paths.map(() => 404));
});

test("the page answers to addresses and to names of the setting server.hosts only, against DNS rebinding", async () => {
  const gateway = await startGateway({ server: { hosts: ["moon.lan"] } });
  const statusFor = (host: string) => rawGet(gateway, "/connect", { ...browser, host });
  expect(await Promise.all(["127.0.0.1", "localhost:6867", "[::1]:6867", "moon.lan"].map(statusFor))).toEqual(
    [200, 200, 200, 200],
  );
  expect(await Promise.all(["rebound.example", "moon.lan.example"].map(statusFor))).toEqual([403, 403]);
});
