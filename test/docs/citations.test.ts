import { describe, expect, test } from "vitest";
import { type Citation, citationsIn, type Documents, problemOf } from "./citations.js";
import { filesBelow, read } from "./files.js";
import { sectionsOf } from "./sections.js";

/** This folder is left out: it cites what is not there, on purpose. */
const sources = ["src", "simulator", "bench", "test"]
  .flatMap((folder) => filesBelow(folder, ".ts"))
  .filter((path) => !path.startsWith("test/docs/"));

/** Comment lines that cited a document when the documents came into the repository; fewer would be a loss. */
const leastCited = 230;

describe("citations of documents in comments", () => {
  const documents = documentsAt(filesBelow("docs", ".md").map((path) => [path, read(path)]));
  const cited = sources.map((path) => ({ path, citations: citationsIn(read(path)) }));

  test("every one resolves to a document and a section", () => {
    const problems = cited.flatMap(({ path, citations }) =>
      problemsIn(citations, documents).map((problem) => `${path}:${problem}`),
    );
    expect(problems).toEqual([]);
  });

  test("none is lost", () => {
    const lines = new Set(
      cited.flatMap(({ path, citations }) => citations.map(({ line }) => `${path}:${line}`)),
    );
    expect(lines.size).toBeGreaterThanOrEqual(leastCited);
  });
});

describe("the check itself", () => {
  const wire = [
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
  const documents = documentsAt([
    ["docs/protocol/wire.md", wire],
    ["docs/guide/README.md", "# Guide"],
    ["docs/decisions/README.md", "# Decisions"],
  ]);
  const check = (source: string) => problemsIn(citationsIn(source), documents);

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

function documentsAt(files: readonly (readonly [path: string, markdown: string])[]): Documents {
  const documents = new Map<string, { path: string; sections: ReturnType<typeof sectionsOf> } | undefined>();
  for (const [path, markdown] of files) {
    const name = path.split("/").at(-1) ?? path;
    documents.set(name, documents.has(name) ? undefined : { path, sections: sectionsOf(markdown) });
  }
  return documents;
}

function problemsIn(citations: readonly Citation[], documents: Documents): string[] {
  return citations.flatMap((citation) => {
    const problem = problemOf(citation, documents);
    return problem ? [`${citation.line}: ${citation.text}: ${problem}`] : [];
  });
}
