import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Filler } from "../../../src/observability/recording/masked-text.js";
import { StandIns } from "../../../src/observability/recording/pseudonyms.js";
import { Redactor } from "../../../src/observability/recording/redactor.js";

function redacted(value: unknown, { texts = false, standIns = new StandIns() } = {}): unknown {
  return new Redactor(standIns, texts).json(value);
}

const jwt = "eyJhbGciOiJIUzUxMiJ9.eyJpc3MiOiJDQU5BUlkifQ.c2lnbmF0dXJl-_";

/** Words of every kind of letter; none is a letter of the filler's own. */
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

/** What spells something. */
function words(text: string): string[] {
  return text.match(/[\p{L}\p{N}\p{M}\p{Alphabetic}]+/gu) ?? [];
}

describe("a text", () => {
  test("keeps its shape: length, bytes, spaces, punctuation, emoji, PUA", () => {
    expect(new Filler().fill("Ruf Ann an: +49 170 1234567, „Žofie“ 天气👩‍👩‍👧‍👦𠮷!\n")).toBe(
      "xxx xxx xx: +00 000 0000000, „øxxxx“ 某某👩‍👩‍👧‍👦𠀀!\n",
    );
    fc.assert(
      fc.property(prose, (marked) => {
        const text = marked.replaceAll("\ue3a0", "\ue3a1");
        const filled = new Filler().fill(text);
        expect(filled.length).toBe(text.length);
        expect(Buffer.byteLength(filled)).toBe(Buffer.byteLength(text));
        expect(filled.replace(/[xø某𠀀0]/gu, "")).toBe(
          text.replace(/(?!️)[\p{L}\p{N}\p{M}\p{Alphabetic}]/gu, ""),
        );
      }),
    );
  });

  test("keeps no word, wherever it stands and however it is cut", () => {
    fc.assert(
      fc.property(prose, fc.array(fc.nat(400), { maxLength: 6 }), (text, places) => {
        const cuts = [0, ...places.filter((at) => at < text.length).sort((a, b) => a - b), text.length];
        const pieces = cuts.slice(1).map((end, index) => text.slice(cuts[index], end));
        const frames = pieces.map((content) => ({ op: "append", block: { text: { content } } }));
        const strange = { aurora: text, deep: { [text]: [text] }, message: { title: text } };
        const kept = new Set(words(JSON.stringify(redacted([...frames, strange]))));
        // A mark may say "cite", and what is cited; a word that is nothing but the beginning of that is no word.
        for (const said of words(text)) if (!/^[a-z]{0,2}$/.test(said)) expect(kept).not.toContain(said);
      }),
    );
  });

  test("keeps the marks of its citations over any cut, and nothing else behind their opening", () => {
    const text = "It is so.\ue3a0cite\ue3a3web_search:1#0\ue3a3web_open_url:2#13\ue3a8 Yes.";
    for (let at = 0; at <= text.length; at++) {
      const filler = new Filler();
      expect(filler.fill(text.slice(0, at)) + filler.fill(text.slice(at))).toBe(
        "xx xx xx.\ue3a0cite\ue3a3web_search:1#0\ue3a3web_open_url:2#13\ue3a8 xxx.",
      );
    }
    expect(new Filler().fill("\ue3a0my secret plan\ue3a8")).toBe("\ue3a0xx xxxxxx xxxx\ue3a8");
    expect(new Filler().fill("\ue3a0cite\ue3a3Secret word")).toBe("\ue3a0cite\ue3a3xxxxxx xxxx");
  });
});

describe("what is the protocol's stays", () => {
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
  ])("%s", (_name, value) => {
    expect(redacted(value)).toEqual(value);
  });

  test("but only where it stands as such", () => {
    expect(
      redacted({ text: { content: "MESSAGE_STATUS_DONE" }, aura: "AURA_VIOLET", op: "not an op" }),
    ).toEqual({
      text: { content: "xxxxxxx_xxxxxx_xxxx" },
      aura: "xxxx_xxxxxx",
      op: "xxx xx xx",
    });
    expect(redacted({ block: { name: "daydream" }, "what I think": 1, status: jwt })).toEqual({
      block: { name: "xxxxxxxx" },
      "xxxx x xxxxx": 1,
      status: expect.not.stringContaining("CANARY"),
    });
  });
});

describe("what is a person's goes, even where texts are kept", () => {
  const person = {
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

  test.each([true, false])("texts kept: %s", (texts) => {
    const result = redacted(person, { texts });
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

  test("a token is found over any cut of the text that spells it", () => {
    const text = `My token is "${jwt}", really.`;
    for (let at = 1; at < text.length; at++) {
      for (let to = at; to < text.length; to += 5) {
        const frames = [text.slice(0, at), text.slice(at, to), text.slice(to)].map((content) => ({
          content,
        }));
        const kept = JSON.stringify(redacted(frames, { texts: true })).replaceAll('"},{"content":"', "");
        for (const part of jwt.split(".").flatMap((each) => each.match(/.{5}/g) ?? []))
          expect(kept).not.toContain(part);
        expect(kept).toMatch(/really/);
      }
    }
  });
});

test("JSON that was cut short is blotted out even where texts are kept, since nobody can tell what is in it", () => {
  const redactor = new Redactor(new StandIns(), true);
  expect(redactor.text('{"file":{"meta":{"name":"Ann')).toBe('{"xxxx":{"xxxx":{"xxxx":"xxx');
  expect(redactor.text(`<html>sorry, ${jwt}</html>`)).toBe("<html>sorry, [removed]</html>");
});

test("the same id has the same stand-in everywhere, another id another one", () => {
  const uuid = fc.uuid();
  const xid = fc.string({
    unit: fc.constantFrom(..."0123456789abcdefghijklmnopqrstuv"),
    minLength: 20,
    maxLength: 20,
  });
  fc.assert(
    fc.property(fc.uniqueArray(fc.oneof(uuid, xid), { minLength: 2, maxLength: 20 }), (ids) => {
      const standIns = new StandIns();
      const first = ids.map((id) => standIns.id(id));
      expect(new Set(first).size).toBe(ids.length);
      for (const [index, id] of ids.entries()) {
        const standIn = first[index] ?? "";
        expect(standIn).not.toBe(id);
        expect(standIn.length).toBe(id.length);
        expect(standIns.path(`/api/chat/${id}/completion/stream?${id}`)).toBe(
          `/api/chat/${standIn}/completion/stream`,
        );
        expect(redacted({ parentId: id, ids: [id], why: id }, { standIns })).toEqual({
          parentId: standIn,
          ids: [standIn],
          why: standIn,
        });
      }
    }),
  );
});
