import { limits } from "../../core/limits.js";
import { asText, type JsonObject, objectsIn } from "../../lib/json.js";
import { markdownCode, markdownLink } from "../../lib/markdown.js";
import { endlessAnswerError } from "../kimi-shared/errors.js";

/** One result of an answer: its kind, and its fields as the stream has set them so far. */
type Result = { kind: ResultKind; fields: JsonObject };

/** What Kimi makes beside its text (kimi-web.md §6 #17), by the names of the blocks and of the lists in `refs`. */
const renderers = {
  artifact: ({ title, path, type, content }) => {
    const heading = titleOf(title, path);
    const text = asText(content);
    const isCode = type === undefined || type === "ARTIFACT_TYPE_CODE";
    const body = text === undefined ? [] : [isCode ? markdownCode(text) : text];
    return [...(heading === undefined ? [] : [markdownLink(heading, undefined)]), ...body];
  },
  aippt: ({ title, pptDownloadUrl, pdfDownloadUrl }) => {
    const name = titleOf(title) ?? "PPT";
    const links = [
      ...linkWith(`${name} (PPT)`, pptDownloadUrl),
      ...linkWith(`${name} (PDF)`, pdfDownloadUrl),
    ];
    return links.length > 0 ? links : [markdownLink(name, undefined)];
  },
  slidesView: ({ name, title, payloadUrl, coverUrl }) => [
    markdownLink(titleOf(name, title) ?? "Slides", asText(payloadUrl) ?? asText(coverUrl)),
  ],
  image: ({ caption, title, name, fullSizeUrl, url }) => [
    markdownLink(titleOf(caption, title, name) ?? "Image", asText(fullSizeUrl) ?? asText(url)),
  ],
  file: ({ fileName, name, uri, downloadUrl }) => [
    markdownLink(titleOf(fileName, name, uri) ?? "File", asText(downloadUrl)),
  ],
  link: ({ title, name, uri, url }) => {
    const address = asText(url) ?? asText(uri);
    const text = titleOf(title, name) ?? address;
    return text === undefined ? [] : [markdownLink(text, address)];
  },
} satisfies Record<string, (fields: JsonObject) => string[]>;

type ResultKind = keyof typeof renderers;

/** The kinds of blocks that are results. */
const resultBlocks: Readonly<Record<string, ResultKind>> = {
  artifact: "artifact",
  aippt: "aippt",
  slidesView: "slidesView",
  resourceLink: "link",
};
/** The lists in `message.refs` that are results. */
const resultRefs: Readonly<Record<string, ResultKind>> = { images: "image", sandboxFiles: "file" };
/** The contents of a tool block that are results. */
const resultContents: Readonly<Record<string, ResultKind>> = {
  image: "image",
  resourceLink: "link",
  slides: "slidesView",
};

export function isResultBlock(name: string): boolean {
  return Object.hasOwn(resultBlocks, name);
}

/** The results of one answer as Markdown links, titles and code, for a client that has nothing but text. */
export class AnswerResults {
  readonly #results = new Map<string, Result>();
  /** Characters that `append` has added. */
  #length = 0;

  /** Applies one `set` or `append` of a block to the result in it. Throws GatewayError for an answer without end. */
  updateBlock(id: string, name: string, fields: JsonObject, op: unknown): void {
    const kind = resultBlocks[name];
    if (kind) this.#update(`block ${id}`, kind, fields, op === "append");
  }

  addRefs(refs: JsonObject): void {
    for (const [name, kind] of Object.entries(resultRefs)) this.#addAll(kind, refs[name]);
  }

  addToolContents(contents: unknown): void {
    for (const content of objectsIn(contents)) {
      for (const [name, kind] of Object.entries(resultContents)) this.#addAll(kind, [content[name]]);
    }
  }

  /** The paragraphs to add to the answer's text, in order of appearance, each once. */
  paragraphs(): string[] {
    const rendered = [...this.#results.values()].map(({ kind, fields }) => renderers[kind](fields));
    return [...new Set(rendered.filter((lines) => lines.length > 0).map((lines) => lines.join("\n\n")))];
  }

  #addAll(kind: ResultKind, items: unknown): void {
    for (const item of objectsIn(items)) {
      const key = asText(item.id) ?? asText(item.uri) ?? asText(item.url) ?? `${this.#results.size}`;
      this.#update(`${kind} ${key}`, kind, item, false);
    }
  }

  #update(key: string, kind: ResultKind, fields: JsonObject, isAppended: boolean): void {
    const known = this.#results.get(key)?.fields ?? {};
    const added = isAppended ? joinFields(known, fields) : fields;
    for (const value of Object.values(fields)) if (typeof value === "string") this.#length += value.length;
    this.#results.set(key, { kind, fields: { ...known, ...added } });
    if (this.#results.size > limits.answerBlocks || this.#length > limits.answerText)
      throw endlessAnswerError("results");
  }
}

/** The fields that `append` extends: texts are concatenated. */
function joinFields(known: JsonObject, added: JsonObject): JsonObject {
  const joined = Object.entries(added).map(([name, value]) => {
    const before = known[name];
    return [name, typeof before === "string" && typeof value === "string" ? before + value : value];
  });
  return Object.fromEntries(joined);
}

function titleOf(...candidates: unknown[]): string | undefined {
  return candidates.map(asText).find((candidate) => candidate !== undefined);
}

function linkWith(title: string, url: unknown): string[] {
  const address = asText(url);
  return address === undefined ? [] : [markdownLink(title, address)];
}
