import { networkInterfaces } from "node:os";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/core/errors.js";
import type { LinkFetcher } from "../../src/files/link-fetcher.js";
import { SsrfGuard } from "../../src/files/ssrf-guard.js";
import {
  embeddedIpv4Links,
  forbiddenSchemeLinks,
  ipv6LoopbackLinks,
  linksWithControlCharacters,
  linksWithUserInfo,
  localNameLinks,
  loopbackLinks,
  malformedLinks,
  metadataAddresses,
  metadataLinks,
  nonPublicAddresses,
  poisonedAnswers,
  unusualSyntaxLinks,
} from "./ssrf-attempts.js";
import { publicAddresses, readAll, startCanary, startServer, testFetcher } from "./test-servers.js";

const linkToAddress = (address: string) => `http://${address.includes(":") ? `[${address}]` : address}:PORT/`;
const allLoopbackLinks = [...loopbackLinks, ...unusualSyntaxLinks, ...ipv6LoopbackLinks];
const privateLinks = [...nonPublicAddresses, ...metadataAddresses].map(linkToAddress);
const forbiddenHosts = [...allLoopbackLinks, ...privateLinks, ...metadataLinks, ...embeddedIpv4Links];
const attempts = [
  ...forbiddenHosts,
  ...linksWithControlCharacters,
  ...localNameLinks,
  ...forbiddenSchemeLinks,
  ...linksWithUserInfo,
  ...malformedLinks,
];
const redirectTargets = [
  ...forbiddenHosts,
  ...localNameLinks,
  ...forbiddenSchemeLinks,
  ...linksWithUserInfo,
].filter(
  // In a redirect this is a path relative to the server.
  (target) => !target.startsWith("http:127") && !target.startsWith("http:/127"),
);

const signal = new AbortController().signal;

/** Outcomes of `describe` and `open` for a link: `fetched` or the error's code. */
async function fetchOutcomes(fetcher: LinkFetcher, link: string): Promise<unknown[]> {
  const read = fetcher.open(link, signal).then(async ({ body }) => {
    for await (const _chunk of body);
  });
  return Promise.all(
    [fetcher.describe(link, signal), read].map((verb) => verb.then(() => "fetched", codeOf)),
  );
}

function codeOf(error: unknown): string {
  if (!(error instanceof GatewayError)) throw error;
  expect(error.message).toMatch(
    /^(This link|The link to “[\x21-\x7e]{1,100}”) is not fetched: [^“]{1,100}\.$/,
  );
  return error.code;
}

const refused = ["link_forbidden", "link_forbidden"];

test(`the corpus has ${attempts.length + redirectTargets.length + poisonedAnswers.length} distinct attempts`, () => {
  expect(attempts.length).toBeGreaterThan(200);
  expect(new Set(attempts).size).toBe(attempts.length);
  expect(new Set(poisonedAnswers.map(String)).size).toBe(poisonedAnswers.length);
});

test(`refuses ${attempts.length} links to non-public addresses without a connection or a DNS look-up`, async () => {
  const canary = await startCanary();
  const { fetcher, lookups } = testFetcher();
  for (const attempt of attempts)
    expect([
      attempt,
      ...(await fetchOutcomes(fetcher, attempt.replaceAll("PORT", `${canary.port}`))),
    ]).toEqual([attempt, ...refused]);
  expect(canary.connections).toBe(0);
  expect(lookups).toEqual([]);
});

test("with private links allowed, every spelling of loopback reaches the canary, so the attempts are real", async () => {
  for (const attempt of allLoopbackLinks) {
    const canary = await startCanary();
    const { fetcher } = testFetcher({ allowPrivate: true });
    await fetchOutcomes(fetcher, attempt.replaceAll("PORT", `${canary.port}`));
    expect([attempt, canary.connections]).toEqual([attempt, 2]);
  }
});

test(`refuses ${redirectTargets.length} redirects to non-public addresses without a connection`, async () => {
  const canary = await startCanary();
  let target = "";
  let nth = 0;
  const site = await startServer((_request, response) => {
    const status = [301, 302, 303, 307, 308][nth++ % 5] ?? 302;
    response.writeHead(status, { location: Buffer.from(target.trim()).toString("latin1") }).end();
  });
  const { fetcher, lookups } = testFetcher();
  for (const attempt of redirectTargets) {
    target = attempt.replaceAll("PORT", `${canary.port}`);
    const verdict = await fetchOutcomes(fetcher, `http://public.test:${site.port}/`);
    expect([attempt, ...verdict]).toEqual([attempt, ...refused]);
  }
  expect(canary.connections).toBe(0);
  expect(site.requests.length).toBe(2 * redirectTargets.length);
  expect(new Set(lookups)).toEqual(new Set(["public.test"]));
});

test(`refuses names for ${poisonedAnswers.length} DNS answers that contain a non-public address, without a connection`, async () => {
  const canary = await startCanary();
  const site = await startServer((request, response) => {
    response.writeHead(302, { location: `http://evil.test:${canary.port}${request.url}` }).end();
  });
  for (const answer of poisonedAnswers) {
    const { fetcher } = testFetcher({ names: { "evil.test": [answer] } });
    const direct = await fetchOutcomes(fetcher, `http://evil.test:${canary.port}/`);
    const redirected = await fetchOutcomes(fetcher, `http://public.test:${site.port}/`);
    expect([answer, ...direct, ...redirected]).toEqual([answer, ...refused, ...refused]);
  }
  expect(canary.connections).toBe(0);
});

describe("DNS rebinding from a public to a private address", () => {
  const rebound = [publicAddresses, ["127.0.0.1", "::1"]];

  test("looks the name up once per connection, which goes to the checked address", async () => {
    const site = await startServer((_request, response) => response.end("public"));
    const { fetcher, lookups } = testFetcher({ names: { "evil.test": rebound } });
    const { body } = await fetcher.open(`http://evil.test:${site.port}/`, signal);
    expect(String(await readAll(body))).toBe("public");
    expect(lookups).toEqual(["evil.test"]);
  });

  test("is refused on the second fetch", async () => {
    const site = await startServer((_request, response) => response.end("public"));
    const { fetcher } = testFetcher({ names: { "evil.test": rebound } });
    await fetcher.describe(`http://evil.test:${site.port}/`, signal);
    await expect(fetcher.open(`http://evil.test:${site.port}/`, signal)).rejects.toThrow("private network");
    expect(site.connections).toBe(1);
  });

  test("is refused when its server redirects to itself", async () => {
    const site = await startServer((_request, response) =>
      response.writeHead(307, { location: "/again" }).end(),
    );
    const { fetcher } = testFetcher({ names: { "evil.test": rebound } });
    await expect(fetcher.open(`http://evil.test:${site.port}/`, signal)).rejects.toThrow("private network");
    expect(site.connections).toBe(1);
  });

  test("is refused when a HEAD request is repeated as GET", async () => {
    const site = await startServer((_request, response) => response.writeHead(405).end());
    const { fetcher } = testFetcher({ names: { "evil.test": rebound } });
    await expect(fetcher.describe(`http://evil.test:${site.port}/`, signal)).rejects.toThrow(
      "private network",
    );
    expect(site.connections).toBe(1);
  });

  test("cannot reach a metadata service even if private links are allowed", async () => {
    const site = await startServer((_request, response) =>
      response.writeHead(302, { location: "/again" }).end(),
    );
    const { fetcher } = testFetcher({
      allowPrivate: true,
      names: { "evil.test": [["127.0.0.1"], ["127.0.0.1", "169.254.169.254"]] },
    });
    await expect(fetcher.open(`http://evil.test:${site.port}/`, signal)).rejects.toThrow("link local");
    expect(site.connections).toBe(1);
  });
});

describe("with allowPrivate", () => {
  test.each([
    "http://localhost:PORT/",
    "http://127.0.0.1:PORT/",
    "http://[::1]:PORT/",
    "http://nas.local:PORT/",
  ])("%s is fetched", async (link) => {
    const canary = await startCanary();
    const { fetcher } = testFetcher({
      allowPrivate: true,
      names: { localhost: [["127.0.0.1", "::1"]], "nas.local": [["127.0.0.1"]] },
    });
    await fetcher.describe(link.replace("PORT", `${canary.port}`), signal);
    expect(canary.connections).toBe(1);
  });

  const permittedAddress = /^(10|127|172|192\.168)\.|^(fc00|fd12:3456:789a)::1$/;

  test("permits private networks and nothing else", () => {
    const guard = new SsrfGuard({ allowPrivate: true });
    for (const address of [...nonPublicAddresses, ...metadataAddresses]) {
      const check = () => guard.checkLink(linkToAddress(address).replace(":PORT", ""));
      if (permittedAddress.test(address)) check();
      else expect(check, address).toThrow(GatewayError);
    }
    for (const link of [
      ...embeddedIpv4Links,
      ...metadataLinks,
      ...forbiddenSchemeLinks,
      ...linksWithUserInfo,
      ...malformedLinks,
    ])
      expect(() => guard.checkLink(link.replaceAll("PORT", "80")), link).toThrow(GatewayError);
  });
});

describe("this machine's own public networks", () => {
  const ownNetworks = ["93.184.216.34/24", "2606:2800:220:1::34/64", "10.0.0.5/8"];
  const guard = new SsrfGuard({ allowPrivate: false, ownNetworks: () => ownNetworks });

  test("are refused like loopback, since firewalls may trust this machine", () => {
    for (const address of ["93.184.216.34", "93.184.216.1", "2606:2800:220:1::34", "2606:2800:220:1:ffff::"])
      expect(() => guard.checkAddresses("me.test", [address]), address).toThrow(
        "network of Moonbridge itself",
      );
    guard.checkAddresses("other.test", ["93.184.217.34", "2606:2800:220:2::34"]);
    const open = new SsrfGuard({ allowPrivate: true, ownNetworks: () => ownNetworks });
    open.checkAddresses("me.test", ["93.184.216.34", "2606:2800:220:1::34"]);
  });

  test("are detected from the network interfaces", () => {
    const mine = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
    expect(mine.length).toBeGreaterThan(0);
    for (const { address } of mine)
      expect(() => new SsrfGuard({ allowPrivate: false }).checkAddresses("me.test", [address])).toThrow(
        GatewayError,
      );
  });
});

/** Unallocated and special-purpose ranges of IANA, each with an adjacent public address. */
const specialPurposeRanges = {
  "0.0.0.0/8": "1.0.0.0",
  "10.0.0.0/8": "11.0.0.0",
  "100.64.0.0/10": "100.128.0.0",
  "127.0.0.0/8": "128.0.0.0",
  "169.254.0.0/16": "169.255.0.0",
  "172.16.0.0/12": "172.32.0.0",
  "192.0.0.0/24": "192.0.1.0",
  "192.0.2.0/24": "192.0.3.0",
  "192.31.196.0/24": "192.31.197.0",
  "192.52.193.0/24": "192.52.194.0",
  "192.88.99.0/24": "192.88.100.0",
  "192.168.0.0/16": "192.169.0.0",
  "192.175.48.0/24": "192.175.49.0",
  "198.18.0.0/15": "198.20.0.0",
  "198.51.100.0/24": "198.51.101.0",
  "203.0.113.0/24": "203.0.114.0",
  "224.0.0.0/3": "223.255.255.255",
  "::/3": "2000::",
  "2001::/23": "2001:200::",
  "2001:db8::/32": "2001:db9::",
  "2002::/16": "2003::",
  "2620:4f:8000::/48": "2620:4f:8001::",
  "3fff::/20": "3fff:1000::",
  "4000::/2": "3ffe::",
  "8000::/1": "3ffe:ffff::",
};

describe("address classification", () => {
  const guard = new SsrfGuard({ allowPrivate: false, ownNetworks: () => [] });
  const verdict = (address: string) => {
    try {
      guard.checkAddresses("x.test", [address]);
      return "public";
    } catch {
      return "refused";
    }
  };

  test.each(Object.entries(specialPurposeRanges))(
    "refuses all of %s and permits the adjacent %s",
    (cidr, beside) => {
      const [network, bits] = ipaddr.parseCIDR(cidr);
      const first = network.toByteArray();
      const within = (noise: number[]) =>
        ipaddr.fromByteArray(
          first.map(
            (byte, at) => byte | ((noise[at] ?? 0) & (0xff >> Math.max(0, Math.min(8, bits - 8 * at)))),
          ),
        );
      const last = within(first.map(() => 0xff));
      expect([cidr, verdict(network.toString()), verdict(last.toString())]).toEqual([
        cidr,
        "refused",
        "refused",
      ]);
      fc.assert(
        fc.property(fc.array(fc.nat(255), { minLength: first.length, maxLength: first.length }), (noise) => {
          expect(verdict(within(noise).toString())).toBe("refused");
        }),
      );
      expect([beside, verdict(beside)]).toEqual([beside, "public"]);
    },
  );

  test("treats any spelling of an IPv4 address like its canonical form", () => {
    const part = (value: number, base: number, zeros: number) =>
      base === 16
        ? `0x${"0".repeat(zeros)}${value.toString(16)}`
        : base === 8
          ? `0${"0".repeat(zeros)}${value.toString(8)}`
          : value.toString();
    const spelling = fc.record({
      parts: fc.integer({ min: 1, max: 4 }),
      bases: fc.array(fc.constantFrom(8, 10, 16), { minLength: 4, maxLength: 4 }),
      zeros: fc.nat(6),
      dot: fc.constantFrom(".", "。", "．", "｡"),
      end: fc.constantFrom("", "."),
    });
    const bytes = fc.array(fc.oneof(fc.nat(255), fc.constantFrom(10, 127, 169, 192)), {
      minLength: 4,
      maxLength: 4,
    });
    fc.assert(
      fc.property(bytes, spelling, (octets, { parts, bases, zeros, dot, end }) => {
        const rest = octets.slice(parts - 1).reduce((sum, octet) => sum * 256 + octet, 0);
        const numbers = [...octets.slice(0, parts - 1), rest];
        const host = numbers.map((value, at) => part(value, bases[at] ?? 10, zeros)).join(dot) + end;
        const plain = octets.join(".");
        const check = () => guard.checkLink(`http://${host}/`).hostname;
        if (verdict(plain) === "public") expect(check()).toBe(plain);
        else expect(check, host).toThrow(GatewayError);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("quotes only the host of a link, truncated, in its error", () => {
  const guard = new SsrfGuard({ allowPrivate: false });
  const long = `${"a".repeat(60)}.${"b".repeat(60)}.localhost`;
  const message = (link: string) => {
    try {
      return `let through: ${guard.checkLink(link)}`;
    } catch (error) {
      return error instanceof GatewayError ? error.message : error;
    }
  };
  expect(message("http://10.0.0.1:81/CANARY?CANARY#CANARY")).toBe(
    "The link to “10.0.0.1” is not fetched: it leads into a private network.",
  );
  expect(message("http://CANARY:CANARY@public.test/")).toBe(
    "The link to “public.test” is not fetched: it contains a user name or a password.",
  );
  expect(message(`http://${long}/CANARY`)).toBe(
    `The link to “${long.slice(0, 100)}” is not fetched: its host is a name of a private network.`,
  );
  expect(message("canary:CANARY")).toBe("This link is not fetched: only http and https links are fetched.");
  expect(message(`http://public.test/${"CANARY".repeat(2_000)}`)).toBe(
    "This link is not fetched: it is too long.",
  );
});
