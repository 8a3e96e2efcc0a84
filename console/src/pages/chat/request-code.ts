import type { CompletionRequest } from "../../api/chat/completion-stream.js";

export type CodeLanguage = "curl" | "Python" | "TypeScript";
export const codeLanguages: readonly CodeLanguage[] = ["curl", "Python", "TypeScript"];

const longestValue = 400;

/** The very request as a program; the key is read from the environment variable MOONBRIDGE_KEY. */
export function requestCode(language: CodeLanguage, request: CompletionRequest, apiUrl: string): string {
  switch (language) {
    case "curl":
      return curlCode(request, apiUrl);
    case "Python":
      return pythonCode(request, apiUrl);
    case "TypeScript":
      return typeScriptCode(request, apiUrl);
  }
}

function curlCode(request: CompletionRequest, apiUrl: string): string {
  const body = json(request).replaceAll("'", "'\\''");
  return [
    `curl -N ${apiUrl}/chat/completions \\`,
    `  -H "Authorization: Bearer $MOONBRIDGE_KEY" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${body}'`,
  ].join("\n");
}

function pythonCode(request: CompletionRequest, apiUrl: string): string {
  const { standard, ours } = parameters(request);
  const lines = Object.entries(standard).map(([name, value]) => `    ${name}=${pythonValue(value, "    ")},`);
  return [
    "import os",
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url="${apiUrl}", api_key=os.environ["MOONBRIDGE_KEY"])`,
    "stream = client.chat.completions.create(",
    ...lines,
    `    extra_body=${pythonValue(ours, "    ")},`,
    ")",
    "for chunk in stream:",
    "    if chunk.choices:",
    '        print(chunk.choices[0].delta.content or "", end="", flush=True)',
  ].join("\n");
}

function typeScriptCode(request: CompletionRequest, apiUrl: string): string {
  return [
    'import OpenAI from "openai";',
    "",
    `const client = new OpenAI({ baseURL: "${apiUrl}", apiKey: process.env.MOONBRIDGE_KEY });`,
    `const request = ${json(request)};`,
    "// The type lacks citations, thinking and use_search.",
    "const stream = await client.chat.completions.create(request as OpenAI.ChatCompletionCreateParamsStreaming);",
    'for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? "");',
  ].join("\n");
}

/** The parameters that OpenAI's SDK for Python knows, and those that go into `extra_body`. */
function parameters({ citations, thinking, use_search, ...standard }: CompletionRequest) {
  return { standard, ours: withoutUndefined({ citations, thinking, use_search }) };
}

function withoutUndefined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Contents of pictures are shortened, since nobody reads or pastes megabytes of them. */
function json(value: unknown): string {
  return JSON.stringify(value, shortened, 2);
}

function shortened(_name: string, value: unknown): unknown {
  const isPicture = typeof value === "string" && value.startsWith("data:") && value.length > longestValue;
  return isPicture ? `${value.slice(0, 60)}…` : value;
}

function pythonValue(value: unknown, indent: string): string {
  const lines = json(value)
    .split("\n")
    .map((line) =>
      line.replace(
        /(^|: )(true|false|null)(,?)$/,
        (_all, start, word, end) => start + pythonWords[word] + end,
      ),
    );
  return lines.join(`\n${indent}`);
}

const pythonWords: Record<string, string> = { true: "True", false: "False", null: "None" };
