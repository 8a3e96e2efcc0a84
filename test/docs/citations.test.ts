import { describe, expect, test } from "vitest";
import { type Citation, type Documents, findCitations, findProblem } from "./citations.js";
import { listFiles, readText } from "./files.js";
import { parseSections } from "./sections.js";

/** All TypeScript files but those of this folder, which contain invalid citations on purpose. */
const sources = ["src", "simulator", "bench", "test"]
  .flatMap((folder) => listFiles(folder, ".ts"))
  .filter((path) => !path.startsWith("test/docs/"));

/** The number of comment lines with a citation must not fall below this. */
const minimumCitedLines = 230;

describe("citations of documents in comments", () => {
  const documents = parseDocuments(listFiles("docs", ".md").map((path) => [path, readText(path)]));
  const citingFiles = sources.map((path) => ({ path, citations: findCitations(readText(path)) }));

  test("every citation resolves to a document and a section", () => {
    const problems = citingFiles.flatMap(({ path, citations }) =>
      findProblems(citations, documents).map((problem) => `${path}:${problem}`),
    );
    expect(problems).toEqual([]);
  });

  test("there are no fewer citations than before", () => {
    const lines = new Set(
      citingFiles.flatMap(({ path, citations }) => citations.map(({ line }) => `${path}:${line}`)),
    );
    expect(lines.size).toBeGreaterThanOrEqual(minimumCitedLines);
  });
});

describe("the check itself", () => {
  const wireDocument = [
    "# Wire",
    "## 1. Transport",
    "1. Envelopes.",
    "2. Trailers.",
    "### 1.1 Framing",
    "### 1.2 Errors",
    "| 54 | files |",
    "| 55 | links |",
    "# A. Platform",
    "## A.1 Recording",
    "```",
    "## 9. Not a heading",
    "```",
  ].join("\n");
  const documents = parseDocuments([
    ["docs/protocol/wire.md", wireDocument],
    ["docs/guide/README.md", "# Guide"],
    ["docs/decisions/README.md", "# Decisions"],
  ]);
  const check = (source: string) => findProblems(findCitations(source), documents);

  test.each([
    "/** Framing (wire.md §1.1). */",
    "// wire.md §1, §1.2 and A.1",
    "const size = 5; // wire.md §1.1",
    "/** wire.md §1.1–§1.2, rows 54–55. */",
    "/** wire.md §1.2 row 54. */",
    "/** The second rule (wire.md §1.2, §A.1). */",
    "/** An item of a list counts (wire.md §1.2). */",
    "/** By title (docs/protocol/wire.md, “A.1 Recording”). */",
    "/** The document as a whole (wire.md). A sentence that begins with a capital. */",
    "/**\n * Over two lines (wire.md §1.1,\n * §1.2).\n */",
    "// RFC 9112 §7.1, sqlite.org/howtocorrupt.html §2.2",
    'const text = "unknown.md §9"; // a string is no comment',
    'const address = "https://example.org/unknown.md";',
  ])("accepts %j", (source) => {
    expect(check(source)).toEqual([]);
  });

  test.each([
    ["/** wire.md §2. */", "1: wire.md §2: there is no §2"],
    ["/** wire.md §9. */", "1: wire.md §9: there is no §9"],
    ["/** wire.md §1.1, §1.3. */", "1: wire.md §1.1, §1.3: there is no §1.3"],
    ["/** wire.md §1.1–§1.4. */", "1: wire.md §1.1–§1.4: there is no §1.3"],
    ["/** wire.md A.2 */", "1: wire.md A.2: there is no §A.2"],
    ["/** wire.md row 53. */", "1: wire.md row 53: there is no row 53"],
    ["/** wire.md §1.1 row 54. */", "1: wire.md §1.1 row 54: there is no row 54 in §1.1"],
    ["/** wire.md, “Recordings”. */", "1: wire.md, “Recordings”: there is no heading “Recordings”"],
    ["/** docs/wire.md §1. */", "1: docs/wire.md §1: docs/wire.md is docs/protocol/wire.md"],
    ["// unknown.md", "1: unknown.md: unknown.md is not in docs/"],
    ["// design §4", "1: design §4: design is not in docs/"],
    ["// See §4.", "1: See §4: See is not in docs/"],
    ["/** §4 */", "1: §4: § is not in docs/"],
    ["// README.md", "1: README.md: docs/ has more than one README.md"],
    ["let a;\n/**\n * Good (wire.md §1.1),\n * bad (wire.md\n * §7).\n */", "4: wire.md §7: there is no §7"],
    ["// wire.md\n// §8", "1: wire.md §8: there is no §8"],
  ])("refuses %j", (source, problem) => {
    expect(check(source)).toEqual([problem]);
  });
});

function parseDocuments(files: readonly (readonly [path: string, markdown: string])[]): Documents {
  const documents = new Map<
    string,
    { path: string; sections: ReturnType<typeof parseSections> } | undefined
  >();
  for (const [path, markdown] of files) {
    const name = path.split("/").at(-1) ?? path;
    documents.set(name, documents.has(name) ? undefined : { path, sections: parseSections(markdown) });
  }
  return documents;
}

function findProblems(citations: readonly Citation[], documents: Documents): string[] {
  return citations.flatMap((citation) => {
    const problem = findProblem(citation, documents);
    return problem ? [`${citation.line}: ${citation.text}: ${problem}`] : [];
  });
}
