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
  repeat,
  startSmallMoonbridge,
} from "./small-moonbridge.js";

/**
 * Upper bound of `/healthz` in milliseconds, several times what an idle machine needs, since tests share theirs. Without
 * limits these bodies took from 5 seconds to minutes.
 */
const besideOne = 4_000;

const inHistory = (text: string, role: string) =>
  chat(`${message('"x"')},${message(`"${text}"`, role)},${message('"x"')}`);
const size = 43 * megabyte;
const tooLong = "400 context_length_exceeded";
const hostileBodies: [name: string, expected: string, body: () => string][] = [
  ["open brackets", invalid, () => `{"messages":${"[".repeat(size)}`],
  ["nested brackets", invalid, () => inMetadata("[".repeat(size / 2) + "]".repeat(size / 2))],
  ["nested objects", invalid, () => inMetadata(repeat('{"a":', size))],
  ["empty objects", invalid, () => inMetadata(`[${repeat("{},", size)}1]`)],
  ["keys", invalid, () => inMetadata(`{${list(3_000_000, (at) => `"k${at}":1`)}}`)],
  ["short strings", invalid, () => inMetadata(`[${repeat('"ab",', size)}1]`)],
  ["numbers", invalid, () => inMetadata(`[${repeat("1.5,", size)}1]`)],
  ["tiny messages", invalid, () => chat(repeat(`${message('"a"')},`, size) + message('"a"'))],
  ["one digit after the other", invalid, () => chat(message('"x"'), `,"seed":${"1".repeat(size)}`)],
  ["a long text", tooLong, () => chat(message(`"${repeat("hello world ", 60 * megabyte)}"`))],
  ["a text of \\u escapes", tooLong, () => chat(message(`"${repeat("\\u5929", 60 * megabyte)}"`))],
  ["a text of \\u escapes of quotes", tooLong, () => chat(message(`"${repeat("\\u0022", 60 * megabyte)}"`))],
  ["a text of escaped quotes", tooLong, () => chat(message(`"${repeat('\\"', 60 * megabyte)}"`))],
  ["a long text with one wide character", tooLong, () => chat(message(`"${"a".repeat(60 * megabyte)}天"`))],
  ["a long answer in the history", tooLong, () => inHistory("b".repeat(60 * megabyte), "assistant")],
  [
    "a long system text of dates",
    tooLong,
    () => inHistory(repeat("1 2024-01-01 12:30 ", 60 * megabyte), "system"),
  ],
  ["unfinished citations", tooLong, () => inHistory(repeat("[1](http://", 2 * megabyte), "assistant")],
  [
    "unfinished lists of sources",
    tooLong,
    () => inHistory(repeat("\\n\\n**参考 / Sources**\\n\\n1. [](](", 2 * megabyte), "assistant"),
  ],
  ["a link of dots", "200", () => chat(message(`"http://${".".repeat(500_000)}a"`))],
  [
    "a media type without end",
    invalid,
    () => chat(message(`[{"type":"image_url","image_url":{"url":"data:a/${"a".repeat(30 * megabyte)}"}}]`)),
  ],
  ["as many values as are taken", "200", () => inMetadata(`[${repeat("{},", 3 * 299_000)}1]`)],
  ["as many keys as are taken", "200", () => inMetadata(`{${list(299_000, (at) => `"k${at}":1`)}}`)],
  [
    "as many messages as are taken",
    "200",
    () => chat(`${repeat(`${message('"a"')},${message('"b"', "assistant")},`, 9_999 * 61)}${message('"x"')}`),
  ],
  ["a picture of 45 MB", "200", () => picture(45 * megabyte)],
];

test("no body keeps other requests waiting, or takes more than a heap of 512 MB", {
  timeout: 240_000,
}, async () => {
  const { url, gateway, prober } = await startSmallMoonbridge();
  const slow: string[] = [];
  for (const [name, expected, create] of hostileBodies) {
    const body = Buffer.from(create());
    await longestHealthCheck(prober);
    expect(`${name}: ${await post(url, body)}`).toBe(`${name}: ${expected}`);
    const longest = await longestHealthCheck(prober);
    if (longest > besideOne) slow.push(`${name}: ${Math.round(longest)} ms`);
  }
  expect(slow).toEqual([]);
  gateway.kill("SIGTERM");
  expect(await gateway.exit).toBe(0);
});
