import {
  type Family,
  familyNames,
  type WrittenCall,
  writeCalls,
} from "../../../../simulator/taught-model/call-families.js";
import {
  type Corruption,
  corruptAnswer,
  corruptArguments,
} from "../../../../simulator/taught-model/corruptions.js";
import type { Tool } from "../../../../src/core/types.js";

type Json = Record<string, unknown>;
type Call = { name: string; arguments: Json };

/** An output of a model that is put together from parts. `repairable`: it is not valid as it stands. */
export type GeneratedCase = {
  name: string;
  output: string;
  kind: "clean" | "repairable" | "trap";
  calls: Call[];
  /** What the person sees, but for white space at its end where calls follow. */
  text: string;
};

const string = { type: "string" };

export const generatedTools: Tool[] = [
  tool("read_note", { path: string }),
  tool("list_notes", {}),
  tool("write_file", { path: string, content: string }),
  tool("set_timer", {
    minutes: { type: "integer" },
    repeat: { type: "boolean" },
    factor: { type: "number" },
  }),
  tool("mcp__db__query", { sql: string, params: { type: "array", items: { type: "integer" } } }),
  tool("save-settings", {
    settings: {
      type: "object",
      properties: { theme: string, sizes: { type: "array", items: { type: "number" } } },
    },
  }),
];

function tool(name: string, properties: Json): Tool {
  return { name, parameters: { type: "object", properties, required: Object.keys(properties) } };
}

/** Texts that are hard to write or to read. */
function hardTexts(word: string): [string, string][] {
  return [
    ["a plain path", "notes/a.txt"],
    ["a Windows path", "C:\\Users\\Ada\\Documents\\new\\temp.txt"],
    ["a network share", "\\\\server\\Share\\x"],
    ["nested quotes", 'say "it\'s \\"quoted\\" here" and \'there\''],
    ["our own call", `<call-${word}>{"name":"read_note","arguments":{"path":"x"}}</call-${word}>`],
    ["our closing tag", `ends with </call-${word}> here`],
    [
      "foreign markers",
      '<tool_call>{"name":"list_notes"}</tool_call> <|tool_call_end|> </tool> <|close|>call<|sep|>',
    ],
    ["line separators", "a\u2028b\u2029c"],
    ["emoji", "👩‍👩‍👧‍👦 👍🏽 𠮷"],
    ["Chinese with typographic quotes", "他说：“你好”，然后走了。"],
    ["brackets and commas", "if (a[0] == {}) { b, } ,] ,} }}"],
    ["Markdown", "# T\n\n```js\nlet a = `x`;\n```\n\n- [ ] todo\n"],
    ["a script", "#!/bin/sh\nset -e\necho \"$1\" | sed 's/a\\/b/c/g'\n\tif true; then :; fi\n"],
    ["control characters", "a\u0000b\u001b[0m\tc\r\n"],
    ["JSON", '{"a": [1, {"b": null}], "c": "d"}'],
    ["HTML", '<p class="x">a &amp; b</p><invoke name="read_note">'],
    ["Python", "d = {'a': None, 'b': True}  # // no comment /* here */"],
    ["nothing", ""],
  ];
}

function callSets(word: string): [string, Call[]][] {
  const texts = hardTexts(word).flatMap(([what, text]): [string, Call[]][] => [
    [`${what} as a path`, [{ name: "read_note", arguments: { path: text } }]],
    [`${what} as a content`, [{ name: "write_file", arguments: { path: "a.txt", content: text } }]],
  ]);
  return [
    ...texts,
    ["no arguments", [{ name: "list_notes", arguments: {} }]],
    ["numbers", [{ name: "set_timer", arguments: { minutes: -5, repeat: false, factor: 2.5 } }]],
    ["a list", [{ name: "mcp__db__query", arguments: { sql: "SELECT 'a'", params: [1, 2, 3] } }]],
    ["an object", [{ name: "save-settings", arguments: { settings: { theme: "dark", sizes: [1, 2.5] } } }]],
    [
      "two calls",
      [
        { name: "list_notes", arguments: {} },
        { name: "read_note", arguments: { path: "b.txt" } },
      ],
    ],
    [
      "three calls",
      [
        { name: "read_note", arguments: { path: "a.txt" } },
        { name: "mcp__db__query", arguments: { sql: "x", params: [] } },
        { name: "write_file", arguments: { path: "c", content: "line\n" } },
      ],
    ],
  ];
}

const texts = [
  "",
  "Let me look.\n\n",
  "我来看看。\n",
  "Use `<call` and 1 < 2:\n\n```js\nlet a = 1;\n```\n\n",
  "- a list\n- with `code`\n\n> and a quotation\n\n",
];
const tails = ["", "\n", "\n\nI have now done this."];

const corruptions: readonly Corruption[] = [
  "no-brackets",
  "trailing-comma",
  "raw-newline",
  "smart-quotes",
  "single-quotes",
  "python-literals",
  "number-strings",
  "nested-strings",
  "json-string",
  "extra-bracket",
  "fence",
  "no-tag-end",
];
/** These write parameters, or nothing that is valid without its end. */
const markedFamilies: readonly Family[] = ["function_calls", "invoke"];
const jsonCorruptions: readonly Corruption[] = [
  "no-brackets",
  "trailing-comma",
  "raw-newline",
  "smart-quotes",
  "single-quotes",
  "python-literals",
  "json-string",
  "extra-bracket",
  "no-tag-end",
];

/** All families of the simulator, and Kimi K3's own tokens. */
const families = [...familyNames, "k3"] as const;

function write(calls: readonly WrittenCall[], family: (typeof families)[number], word: string): string {
  return family === "k3" ? writeK3(calls) : writeCalls(calls, family, word);
}

function writeK3(calls: readonly WrittenCall[]): string {
  const written = calls.map(({ name, json }, index) => {
    const values: [string, unknown][] = Object.entries(JSON.parse(json));
    const keys = values.map(([key, value]) => {
      const type = Array.isArray(value) ? "array" : typeof value;
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return `<|open|>argument key="${key}" type="${type}"<|sep|>${text}<|close|>argument<|sep|>`;
    });
    return `<|open|>call tool="${name}" index="${index + 1}"<|sep|>${keys.join("")}<|close|>call<|sep|>`;
  });
  return `<|open|>tools<|sep|>${written.join("")}<|close|>tools<|sep|>`;
}

/** Calls in every family, each with every text before and behind by turns. */
export function cleanCases(word: string): GeneratedCase[] {
  let turn = 0;
  return callSets(word).flatMap(([what, calls]) =>
    families.flatMap((family) =>
      [0, 1].map((): GeneratedCase => {
        turn++;
        const text = texts[turn % texts.length] ?? "";
        const tail = tails[turn % tails.length] ?? "";
        return {
          name: `${family}, ${what}, variant ${turn}`,
          output: text + write(calls.map(toWritten), family, word) + tail,
          kind: "clean",
          calls,
          text,
        };
      }),
    ),
  );
}

/** Calls with one corruption each. */
export function repairableCases(word: string): GeneratedCase[] {
  return callSets(word).flatMap(([what, calls]) =>
    familyNames.flatMap((family) =>
      corruptions.flatMap((corruption) => {
        if (markedFamilies.includes(family) && jsonCorruptions.includes(corruption)) return [];
        // A fence around a foreign form is an example.
        if (corruption === "fence" && family !== "own") return [];
        // The line of a function has an object behind the number.
        if (corruption === "json-string" && family === "functions-line") return [];
        const written = corruptArguments(calls.map(toWritten), corruption);
        const output = corruptAnswer(writeCalls(written, family, word), corruption);
        if (output === writeCalls(calls.map(toWritten), family, word)) return [];
        return [
          { name: `${family}, ${what}, ${corruption}`, output, kind: "repairable" as const, calls, text: "" },
        ];
      }),
    ),
  );
}

/** Texts with what looks like a call and is none. */
export function trapCases(word: string): GeneratedCase[] {
  const outputs = callSets(word).flatMap(([what, calls]) => {
    const written = calls.map(toWritten);
    const unknown = written.map((call) => ({ ...call, name: `unknown_${call.name}` }));
    const json = JSON.stringify(calls.length === 1 ? calls[0] : calls);
    const foreign = families.filter((family) => family !== "own");
    return [
      [`bare JSON, ${what}`, json],
      [`bare JSON in a sentence, ${what}`, `The JSON ${json} would do it.`],
      [`bare JSON in a fence, ${what}`, `\`\`\`json\n${json}\n\`\`\`\n`],
      [`another word, ${what}`, writeCalls(written, "own", word === "zzzz" ? "aaaa" : "zzzz")],
      [
        `our form among other lines of a fence, ${what}`,
        `\`\`\`\`\n${writeCalls(written, "own", word)}\nand so on\n\`\`\`\`\nOK?`,
      ],
      ...foreign
        .filter((family) => !family.startsWith("k"))
        .map((family) => [
          `an undeclared function, ${family}, ${what}`,
          `So:\n${write(unknown, family, word)}\nis it.`,
        ]),
      ...foreign.map((family) => [
        `${family} in a fence, ${what}`,
        `So:\n\n~~~~\n${write(written, family, word)}\n~~~~\n\nis it.`,
      ]),
    ] as [string, string][];
  });
  return outputs.map(([name, output]) => ({ name, output, kind: "trap", calls: [], text: output }));
}

function toWritten({ name, arguments: values }: Call): WrittenCall {
  return { name, json: JSON.stringify(values) };
}
