import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AnswerFormat } from "../../../src/chat/structured-output/answer-format.js";
import { FormattedAnswer } from "../../../src/chat/structured-output/formatted-answer.js";
import { GatewayError } from "../../../src/core/errors.js";
import type { ChatEvent, FinishReason, ResponseFormat } from "../../../src/core/types.js";

const anyJson: ResponseFormat = { type: "json" };
const person: ResponseFormat = {
  type: "json-schema",
  name: "person",
  schema: {
    type: "object",
    properties: { name: { type: "string" }, age: { type: "integer" } },
    required: ["name", "age"],
    additionalProperties: false,
  },
};

type Outcome = { text: string; end: "finish" | "problem" | "error"; detail: string; isInexact: boolean };

function read(
  format: ResponseFormat,
  pieces: readonly string[],
  { stream, reason = "stop" }: { stream: boolean; reason?: FinishReason },
): Outcome {
  const answer = new FormattedAnswer({ format: new AnswerFormat(format, []), stream, isCorrection: false });
  let text = "";
  const take = (events: readonly ChatEvent[]) => {
    for (const event of answer.read(events)) {
      if (event.type === "text") text += event.text;
      if (event.type === "finish")
        return { text, end: "finish" as const, detail: event.reason, isInexact: event.isInexact ?? false };
    }
    return undefined;
  };
  try {
    for (const piece of pieces) take([{ type: "text", text: piece }]);
    const outcome = take([{ type: "finish", reason }]);
    return outcome ?? { text, end: "problem", detail: answer.problem ?? "", isInexact: false };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { text, end: "error", detail: error.message, isInexact: false };
  }
}

const ada = '{"name": "Ada", "age": 36}';

/** Answers, and the text that the client gets of them; undefined where they are of no use. */
const answers: [title: string, answer: string, text: string | undefined, isInexact?: boolean][] = [
  ["JSON", ada, ada],
  ["JSON in a fence", `\`\`\`json\n${ada}\n\`\`\``, ada],
  ["JSON in prose", `Here it is:\n${ada}\nAll [1] of {it}.`, ada, true],
  ["JSON in a fence in prose", `Of course {x}:\n\`\`\`json\n${ada}\n\`\`\`\nBye.`, ada, true],
  ["the same JSON twice", `${ada}\n{"age":36,"name":"Ada"}`, ada, true],
  ["a comma too many", '{"name":"Ada","age":36,}', '{"name":"Ada","age":36}'],
  ["a raw line break", '{"name":"Ada\nL.","age":36}', '{"name":"Ada\\nL.","age":36}'],
  ["a missing bracket", '{"name":"Ada","age":36', '{"name":"Ada","age":36}'],
  ["prose", "I am fine.", undefined],
  ["nothing but white space", " \n ", undefined],
  ["half of it", '{"name":"Ada', undefined],
  ["broken JSON beside a footnote", `As [1] says: {"name": Ada} or ${ada}`, undefined],
  ["broken JSON in prose, then a fence", `Not {"a": …} but\n\`\`\`json\n${ada}\n\`\`\``, ada, true],
  ["two persons", `${ada}\n{"name":"Bob","age":1}`, undefined],
];

describe.each([true, false])("streamed: %s,", (stream) => {
  describe.each([
    ["a schema", person],
    ["any JSON", anyJson],
  ])("%s:", (_, format) => {
    test.each(answers)("an answer of %s", (_title, answer, text, isInexact = false) => {
      const outcome = read(format, [answer], { stream });
      if (text !== undefined) expect(outcome).toEqual({ text, end: "finish", detail: "stop", isInexact });
      else expect(outcome.end).not.toBe("finish");
    });

    test.each(answers)("every division of an answer of %s gives the same", (_title, answer) => {
      const whole = read(format, [answer], { stream });
      expect(read(format, Array.from(answer), { stream })).toEqual(whole);
      for (let cut = 1; cut < answer.length; cut++)
        expect(read(format, [answer.slice(0, cut), answer.slice(cut)], { stream })).toEqual(whole);
    });
  });

  test.each<[problem: string, answer: string]>([
    ["age: must be integer", '{"name":"Ada","age":"old"}'],
    ["must have required property 'age'", '{"name":"Ada"}'],
    ["must NOT have additional properties (pet)", '{"name":"Ada","age":1,"pet":"cat"}'],
    ["must be object", `[${ada}]`],
    ["it has no JSON", "No."],
    ["it is not valid JSON", '{"name": Ada}'],
    ["it has several JSON values", `${ada}{"name":"B","age":2}`],
  ])("the problem is told: %s", (problem, answer) => {
    expect(read(person, [answer], { stream })).toMatchObject({ text: "", end: "problem", detail: problem });
  });

  test("values of other types become what the schema wants, unless digits would be lost", () => {
    const answer = '{"name":"Ada","age":"36"}';
    expect(read(person, [answer], { stream }).text).toBe('{"name":"Ada","age":36}');
    const long = '{"name":"Ada","age":"36","x":1234567890123456789}';
    const open: ResponseFormat = { ...person, strict: false };
    expect(read(open, [long], { stream }).end).toBe("problem");
  });

  test("with strict: false, keys beside those of the schema are allowed", () => {
    const answer = '{"name":"Ada","age":36,"pet":"cat"}';
    expect(read({ ...person, strict: false }, [answer], { stream }).text).toBe(answer);
  });

  test("an answer that was cut has the JSON so far and the reason, but no prose", () => {
    for (const format of [person, anyJson]) {
      const cut = (answer: string) => read(format, Array.from(answer), { stream, reason: "length" });
      expect(cut('So:\n{"name":"Ad')).toMatchObject({ text: '{"name":"Ad', detail: "length" });
      expect(cut('```json\n{"name":"Ad')).toMatchObject({ text: '{"name":"Ad', detail: "length" });
      expect(cut("Well, I")).toMatchObject({ text: "", end: "finish", detail: "length", isInexact: true });
      expect(cut(`${ada}\nAnd n`)).toMatchObject({ text: ada, end: "finish", detail: "stop" });
    }
  });

  test("an answer that was withdrawn is held to no format", () => {
    const outcome = read(person, ["I c"], { stream, reason: "content-filter" });
    expect(outcome).toMatchObject({ text: "", end: "finish", detail: "content-filter" });
  });

  test("an answer beyond the limit fails", () => {
    const pieces = Array.from({ length: 11 }, () => "x".repeat(100_000));
    expect(read(person, pieces, { stream })).toMatchObject({ text: "", end: "error" });
  });
});

test("reasoning and calls pass at once, and text beside calls does not", () => {
  const answer = new FormattedAnswer({
    format: new AnswerFormat(person, []),
    stream: true,
    isCorrection: false,
  });
  const reasoning: ChatEvent = { type: "reasoning", text: "Hm." };
  const call: ChatEvent = { type: "tool-call", index: 0, id: "c", name: "f", arguments: "{}" };
  expect(answer.read([{ type: "text", text: "I look." }, reasoning])).toEqual([reasoning]);
  expect(answer.read([call])).toEqual([call]);
  const finish: ChatEvent = { type: "finish", reason: "tool-calls" };
  expect(answer.read([finish])).toEqual([{ ...finish, isInexact: true }]);
});

test("a stream of any JSON leaves while it is written", () => {
  const answer = new FormattedAnswer({
    format: new AnswerFormat(anyJson, []),
    stream: true,
    isCorrection: false,
  });
  const read = (text: string) => answer.read([{ type: "text", text }]);
  expect(read("```json\n")).toEqual([]);
  expect(read('{"a":1, ')).toEqual([{ type: "text", text: '{"a":1' }]);
  expect(read('"b":"x, ')).toEqual([{ type: "text", text: ', "b":"x, ' }]);
  expect(read('y"}\n``')).toEqual([{ type: "text", text: 'y"}' }]);
  expect(read("`")).toEqual([]);
});

test("random JSON with random changes: each division gives the same, and what is given is JSON of the answer", () => {
  const changed = fc
    .tuple(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), fc.string({ maxLength: 2 }))
    .map(([value, at, text]) => {
      const json = JSON.stringify(value);
      const position = at % json.length;
      return json.slice(0, position) + text + json.slice(position + (at % 2));
    });
  fc.assert(
    fc.property(changed, fc.boolean(), fc.array(fc.nat(), { maxLength: 5 }), (answer, stream, cuts) => {
      const whole = read(anyJson, [answer], { stream });
      const positions = [
        0,
        ...cuts.map((cut) => cut % (answer.length + 1)).sort((a, b) => a - b),
        answer.length,
      ];
      const pieces = positions.slice(1).map((end, index) => answer.slice(positions[index], end));
      expect(read(anyJson, pieces, { stream })).toEqual(whole);
      if (whole.end === "finish") JSON.parse(whole.text);
    }),
  );
});
