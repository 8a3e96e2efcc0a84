import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pseudonyms } from "../../../src/observability/recording/pseudonyms.js";
import { Redactor } from "../../../src/observability/recording/redactor.js";
import { TextMasker } from "../../../src/observability/recording/text-masker.js";

function redact(value: unknown, { keepTexts = false, pseudonyms = new Pseudonyms() } = {}): unknown {
  return new Redactor(pseudonyms, keepTexts).json(value);
}

const jwt = "eyJhbGciOiJIUzUxMiJ9.eyJpc3MiOiJDQU5BUlkifQ.c2lnbmF0dXJl-_";

/** Words of all kinds of letters, without the letters that the masker uses. */
const word = fc.string({
  unit: fc.constantFrom(..."abcyzABYZàéßжщ天気語한กعא𠮷𝐀ⓐ🄰12９²"),
  minLength: 1,
  maxLength: 9,
});
const prose = fc
  .array(
    fc.tuple(
      word,
      fc.constantFrom(" ", "\n", ", ", "。", " – ", "👩‍👩‍👧‍👦 ", "️ ", "\ue3a0", "\ue3a8", "://"),
    ),
    {
      minLength: 1,
      maxLength: 30,
    },
  )
  .map((pairs) => pairs.flat().join(""));

/** The runs of letters, digits and marks in a text. */
function wordsOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}\p{M}\p{Alphabetic}]+/gu) ?? [];
}

describe("a masked text", () => {
  test("keeps length, bytes, spaces, punctuation, emoji and private-use characters", () => {
    expect(new TextMasker().mask("Ruf Ann an: +49 170 1234567, „Žofie“ 天气👩‍👩‍👧‍👦𠮷!\n")).toBe(
      "xxx xxx xx: +00 000 0000000, „øxxxx“ 某某👩‍👩‍👧‍👦𠀀!\n",
    );
    fc.assert(
      fc.property(prose, (textWithMarks) => {
        const text = textWithMarks.replaceAll("\ue3a0", "\ue3a1");
        const masked = new TextMasker().mask(text);
        expect(masked.length).toBe(text.length);
        expect(Buffer.byteLength(masked)).toBe(Buffer.byteLength(text));
        expect(masked.replace(/[xø某𠀀0]/gu, "")).toBe(
          text.replace(/(?!️)[\p{L}\p{N}\p{M}\p{Alphabetic}]/gu, ""),
        );
      }),
    );
  });

  test("keeps no word, in whichever field it is and however it is cut", () => {
    fc.assert(
      fc.property(prose, fc.array(fc.nat(400), { maxLength: 6 }), (text, offsets) => {
        const cuts = [
          0,
          ...offsets.filter((offset) => offset < text.length).sort((a, b) => a - b),
          text.length,
        ];
        const pieces = cuts.slice(1).map((end, index) => text.slice(cuts[index], end));
        const frames = pieces.map((content) => ({ op: "append", block: { text: { content } } }));
        const unknownFields = { aurora: text, deep: { [text]: [text] }, message: { title: text } };
        const keptWords = new Set(wordsOf(JSON.stringify(redact([...frames, unknownFields]))));
        // A citation mark keeps "cite" and its references, so a beginning of those is not a word of the text.
        for (const word of wordsOf(text))
          if (!/^[a-z]{0,2}$/.test(word)) expect(keptWords).not.toContain(word);
      }),
    );
  });

  test("keeps citation marks over any cut, and nothing else after the start of a mark", () => {
    const text = "It is so.\ue3a0cite\ue3a3web_search:1#0\ue3a3web_open_url:2#13\ue3a8 Yes.";
    for (let at = 0; at <= text.length; at++) {
      const masker = new TextMasker();
      expect(masker.mask(text.slice(0, at)) + masker.mask(text.slice(at))).toBe(
        "xx xx xx.\ue3a0cite\ue3a3web_search:1#0\ue3a3web_open_url:2#13\ue3a8 xxx.",
      );
    }
    expect(new TextMasker().mask("\ue3a0my secret plan\ue3a8")).toBe("\ue3a0xx xxxxxx xxxx\ue3a8");
    expect(new TextMasker().mask("\ue3a0cite\ue3a3Secret word")).toBe("\ue3a0cite\ue3a3xxxxxx xxxx");
  });
});

describe("values of the protocol are kept", () => {
  test.each<[string, object]>([
    [
      "a delta",
      { op: "append", mask: "block.text.content", eventOffset: 7, block: { id: "4", parentId: "" } },
    ],
    ["a status", { op: "set", mask: "message.status", message: { status: "MESSAGE_STATUS_PONDERING" } }],
    [
      "a stage",
      { block: { multiStage: { stages: [{ name: "STAGE_NAME_NEW", status: "STAGE_STATUS_END" }] } } },
    ],
    ["a tool", { block: { tool: { toolCallId: "daydream:1", name: "daydream", status: "STATUS_DONE" } } }],
    ["an unknown block", { op: "set", mask: "block.hologram", block: { id: "9", hologram: {} } }],
    [
      "a reason",
      {
        error: {
          code: "resource_exhausted",
          details: [{ type: "common.error.v1.ErrorDetail", debug: { reason: "REASON_NEW_ONE" } }],
        },
      },
    ],
    ["an old reason", { event: "error", error: { error_type: "kimi.completion.overloaded" } }],
    ["an old event", { event: "search_plus", msg: { type: "get_res", successNum: 3 } }],
    [
      "a model",
      { scenario: "SCENARIO_CHAT", displayName: "", key: "k2d6", id: "k2d6-chat", available: true },
    ],
    ["a time", { chat: { createTime: "2026-11-23T12:00:00.250113Z" } }],
  ])("in %s", (_name, value) => {
    expect(redact(value)).toEqual(value);
  });

  test("only in the fields in which the protocol has them", () => {
    expect(
      redact({ text: { content: "MESSAGE_STATUS_DONE" }, aura: "AURA_VIOLET", op: "not an op" }),
    ).toEqual({
      text: { content: "xxxxxxx_xxxxxx_xxxx" },
      aura: "xxxx_xxxxxx",
      op: "xxx xx xx",
    });
    expect(redact({ block: { name: "daydream" }, "what I think": 1, status: jwt })).toEqual({
      block: { name: "xxxxxxxx" },
      "xxxx x xxxxx": 1,
      status: expect.not.stringContaining("CANARY"),
    });
  });
});

describe("personal data is removed, even if texts are kept", () => {
  const personalData = {
    user: {
      id: "d1a2b3c4d5e6f7g8h9i0",
      nickname: "Ann",
      avatar: "https://x.example/ann.png",
      phone: { number: "+49 170" },
    },
    file: { id: "1a9f3c60-0002-8300-8000-0000c0ffee06", meta: { name: "Ann's will.pdf", ext: "pdf" } },
    blob: { signUrl: "https://k.example/o/will.pdf?sig=abc" },
    url: "https://tos.example/will.pdf?X-Amz-Signature=abc",
    object_name: "prod/ann/will.pdf",
    accessToken: "opaque",
    credential: { code: "opaque" },
    expires_in: 1_700_000_000,
    note: `see ${jwt}`,
  };

  test.each([true, false])("keepTexts: %s", (keepTexts) => {
    const result = redact(personalData, { keepTexts });
    expect(result).toMatchObject({
      user: { id: "d0000000000000000001", nickname: "xxx", phone: { number: "+00 000" } },
      file: { id: "00000000-0002-8000-8000-000000000003", meta: { name: "xxx'x xxxx.xxx", ext: "pdf" } },
      blob: { signUrl: expect.stringMatching(/^http:\/\/signed\.invalid\/signed\/\d$/) },
      url: expect.stringMatching(/^http:\/\/signed\.invalid\/signed\/\d$/),
      accessToken: "[removed]",
      expires_in: 1_000_000_000,
    });
    for (const secret of [/ann\b/i, /will/i, /abc/, /opaque/, /eyJ/])
      expect(JSON.stringify(result)).not.toMatch(secret);
  });

  test("a token is found in a text that is cut in any two places", () => {
    const text = `My token is "${jwt}", really.`;
    for (let start = 1; start < text.length; start++) {
      for (let end = start; end < text.length; end += 5) {
        const frames = [text.slice(0, start), text.slice(start, end), text.slice(end)].map((content) => ({
          content,
        }));
        const recorded = JSON.stringify(redact(frames, { keepTexts: true })).replaceAll(
          '"},{"content":"',
          "",
        );
        for (const part of jwt.split(".").flatMap((part) => part.match(/.{5}/g) ?? []))
          expect(recorded).not.toContain(part);
        expect(recorded).toMatch(/really/);
      }
    }
  });
});

test("truncated JSON is masked even if texts are kept, since its fields cannot be told apart", () => {
  const redactor = new Redactor(new Pseudonyms(), true);
  expect(redactor.text('{"file":{"meta":{"name":"Ann')).toBe('{"xxxx":{"xxxx":{"xxxx":"xxx');
  expect(redactor.text(`<html>sorry, ${jwt}</html>`)).toBe("<html>sorry, [removed]</html>");
});

test("an id has the same pseudonym everywhere, and another id another one", () => {
  const uuid = fc.uuid();
  const xid = fc.string({
    unit: fc.constantFrom(..."0123456789abcdefghijklmnopqrstuv"),
    minLength: 20,
    maxLength: 20,
  });
  fc.assert(
    fc.property(fc.uniqueArray(fc.oneof(uuid, xid), { minLength: 2, maxLength: 20 }), (ids) => {
      const pseudonyms = new Pseudonyms();
      const pseudonymsOfIds = ids.map((id) => pseudonyms.id(id));
      expect(new Set(pseudonymsOfIds).size).toBe(ids.length);
      for (const [index, id] of ids.entries()) {
        const pseudonym = pseudonymsOfIds[index] ?? "";
        expect(pseudonym).not.toBe(id);
        expect(pseudonym.length).toBe(id.length);
        expect(pseudonyms.path(`/api/chat/${id}/completion/stream?${id}`)).toBe(
          `/api/chat/${pseudonym}/completion/stream`,
        );
        expect(redact({ parentId: id, ids: [id], why: id }, { pseudonyms })).toEqual({
          parentId: pseudonym,
          ids: [pseudonym],
          why: pseudonym,
        });
      }
    }),
  );
});
