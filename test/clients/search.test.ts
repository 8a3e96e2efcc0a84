import fc from "fast-check";
import { expect, test } from "vitest";
import type { Step } from "../../simulator/index.js";
import { startGateway } from "../gateway.js";

type Annotation = { type: string; url_citation: { url: string; start_index: number; end_index: number } };

const pages = [
  { title: "The Moon 🌙", url: "https://example.org/moon", snippet: "" },
  { title: "月亮", url: "https://example.com/yueliang", snippet: "" },
];
const question = {
  model: "kimi-search",
  messages: [{ role: "user" as const, content: "search for the moon" }],
};

/** A cited text and the index of its page. */
type Passage = { words: string; page: number };

/** Citation marks of both generations (kimi-web.md §2.6). */
function citationMark(page: number, isOldMark: boolean): string {
  return isOldMark ? `[^${page + 1}^]` : `\ue3a0cite\ue3a3web_search:1#${page}\ue3a8`;
}

/** The text split at these offsets, also within marks and surrogate pairs. */
function splitAt(text: string, cuts: readonly number[]): string[] {
  const offsets = [...new Set(cuts.map((annotated) => annotated % text.length))].sort((a, b) => a - b);
  return [...offsets, text.length]
    .map((end, index) => text.slice(offsets[index - 1] ?? 0, end))
    .filter(Boolean);
}

const words = fc
  .string({
    unit: fc.constantFrom("a", "B", "7", "月", "亮", "👨‍👩‍👧", "🌙", "𠮷", " ", ",", "é"),
    minLength: 1,
    maxLength: 24,
  })
  .map((inner) => `x${inner}y`);
const passages = fc.array(fc.record({ words, page: fc.nat(1) }), { minLength: 1, maxLength: 5 });

test("annotations select exactly the cited text, streamed or not, however the text is split", async () => {
  let steps: Step[] = [];
  const gateway = await startGateway({ simulator: { script: () => steps } });
  const { completions } = gateway.client.chat;
  await fc.assert(
    fc.asyncProperty(
      passages,
      fc.array(fc.nat(300), { maxLength: 12 }),
      fc.boolean(),
      fc.constantFrom("inline", "footer", "annotations"),
      async (cited: Passage[], cuts, isOldMark, citations) => {
        const markedText = cited
          .map(({ words, page }) => `${words}${citationMark(page, isOldMark)}. `)
          .join("");
        steps = [
          { do: "search", queries: ["moon"], sources: pages },
          { do: "text", content: splitAt(markedText, cuts) },
        ];
        const body = { ...question, citations };
        const whole = await completions.create(body);
        let content = "";
        let annotations: Annotation[] = [];
        for await (const chunk of await completions.create({ ...body, stream: true })) {
          const delta: { content?: string | null; annotations?: Annotation[] } =
            chunk.choices[0]?.delta ?? {};
          content += delta.content ?? "";
          annotations = delta.annotations ?? annotations;
        }
        const message = whole.choices[0]?.message;
        expect(content).toBe(message?.content);
        expect(annotations).toEqual(message?.annotations);
        expect(JSON.stringify(whole)).not.toMatch(/[\ue000-\uf8ff]/);
        const annotated = annotations.map(({ url_citation: { url, start_index, end_index } }) => [
          content.slice(start_index, end_index),
          url,
        ]);
        expect(annotated).toEqual(cited.map(({ words, page }) => [words, pages[page]?.url]));
      },
    ),
    { numRuns: 60 },
  );
});

test("moonbridge_searches has the queries, streamed or not, and is absent without a search", async () => {
  const gateway = await startGateway();
  const searched = { moonbridge_searches: ["search for the moon"] };
  expect(await gateway.client.chat.completions.create(question)).toMatchObject(searched);
  let last: unknown;
  const stream = await gateway.client.chat.completions.create({ ...question, stream: true });
  for await (const chunk of stream) last = chunk;
  expect(last).toMatchObject(searched);
  const silent = await gateway.client.chat.completions.create({ ...question, model: "kimi-nosearch" });
  expect(silent).not.toHaveProperty("moonbridge_searches");
});
