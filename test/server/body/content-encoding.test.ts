import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { sentTurns } from "../../conversations/dialogue.js";
import { apiKey, type Gateway, startGateway } from "../../gateway.js";

const question = "packed by the zstd program, ".repeat(8);
const body = JSON.stringify({ model: "kimi", messages: [{ role: "user", content: question }] });
/** The same body, packed by zstd 1.5. */
const zstdBody = Buffer.from(
  "KLUv/WQaAJ0CAGJFEheQN23QS16umdiyMVsTkfBit1/jnHY3hwtgcZk7SWAmlVYLdcEWIVDpBjqJzYt8EUQ2zuvA5h+YVgaznjiqPxsXVxg2H094VgIBAFLwqRkF90xtVg==",
  "base64",
);

async function send(gateway: Gateway, encoding: string, sent: Buffer) {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${apiKey}`,
      "content-type": "application/json",
      "content-encoding": encoding,
    },
    body: new Uint8Array(sent),
  });
  return `${response.status} ${await response.text()}`;
}

const packed: [encoding: string, sent: Buffer][] = [
  ["gzip", gzipSync(body)],
  ["x-gzip", gzipSync(body)],
  ["deflate", deflateSync(body)],
  ["br", brotliCompressSync(body)],
  ["zstd", zstdBody],
  ["GZIP", gzipSync(body)],
  ["identity", Buffer.from(body)],
];

/** A zstd frame whose content is `blocks` times 128 KB of spaces: four bytes a block. */
function zstdBomb(blocks: number): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]);
  const size = 128 * 1_024;
  const block = (isLast: boolean) => {
    const value = (size << 3) | (1 << 1) | (isLast ? 1 : 0);
    return Buffer.from([value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, 0x20]);
  };
  return Buffer.concat([header, ...Array.from({ length: blocks }, (_, n) => block(n === blocks - 1))]);
}

describe("an encoded body", () => {
  test.each(packed)("is understood as %s", async (encoding, sent) => {
    const gateway = await startGateway();
    const answer = await send(gateway, encoding, sent);
    expect(answer).toMatch(/^200 .*"finish_reason":"stop"/s);
    expect(sentTurns(gateway).map(({ text }) => text)).toEqual([question]);
  });

  test("is understood wherever its bytes are split", async () => {
    const gateway = await startGateway();
    for (const sent of [gzipSync(body), zstdBody]) {
      for (let offset = 1; offset < sent.length; offset += 16) {
        const parts = [sent.subarray(0, offset), sent.subarray(offset)];
        const response = await fetch(`${gateway.url}/v1/chat/completions`, {
          method: "POST",
          headers: {
            authorization: `Bearer ${apiKey}`,
            "content-encoding": sent === zstdBody ? "zstd" : "gzip",
          },
          body: ReadableStream.from(parts),
          duplex: "half",
        });
        expect([offset, response.status]).toEqual([offset, 200]);
        await response.text();
      }
    }
  }, 60_000);

  test.each(["compress", "gzip, br", "aws-chunked", "\u00fc"])("as %s is 415 by name", async (encoding) => {
    const gateway = await startGateway();
    const answer = await send(gateway, encoding, Buffer.from(body));
    expect(answer).toMatch(/^415 .*"code":"unsupported_media_type"/s);
    expect(answer).toContain("gzip, deflate, br or zstd");
  });

  test.each(["gzip", "deflate", "br", "zstd"])("that is not %s is 400 and says so", async (encoding) => {
    const gateway = await startGateway();
    const answer = await send(gateway, encoding, Buffer.from(body));
    expect(answer).toMatch(/^400 .*"code":"invalid_request"/s);
    expect(answer).toContain(`not valid ${encoding}`);
  });

  test.each(packed.slice(0, 5))("that ends early as %s is an error", async (encoding, sent) => {
    const gateway = await startGateway();
    const answer = await send(gateway, encoding, sent.subarray(0, sent.length - 12));
    expect(answer).toMatch(/^400 .*"code":"invalid_request"/s);
  });

  test.each([
    ["gzip", gzipSync(Buffer.alloc(70 * 1_048_576, " "))],
    ["br", brotliCompressSync(Buffer.alloc(70 * 1_048_576, " "))],
    ["zstd", zstdBomb(100_000)],
  ])(
    "of a few bytes that unpacks to more than the limit as %s is 413, and others are served",
    async (encoding, sent) => {
      const gateway = await startGateway();
      expect(sent.length).toBeLessThan(500_000);
      const bombs = Array.from({ length: 4 }, () => send(gateway, encoding, sent));
      const health = await fetch(`${gateway.url}/healthz`);
      expect(health.status).toBe(200);
      for (const answer of await Promise.all(bombs))
        expect(answer).toMatch(/^413 .*"code":"request_too_large"/s);
    },
    60_000,
  );
});

test("a body in another charset is 400 and says so", async () => {
  const gateway = await startGateway();
  // "你好" in GBK, as a Windows console sends it.
  const [before = "", after = ""] = body.split(question.trim());
  const gbk = Buffer.concat([Buffer.from(before), Buffer.from([0xc4, 0xe3, 0xba, 0xc3]), Buffer.from(after)]);
  const answer = await send(gateway, "identity", gbk);
  expect(answer).toMatch(/^400 .*"code":"invalid_request"/s);
  expect(answer).toContain("not UTF-8");
});
