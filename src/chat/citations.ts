import type { ChatEvent, CitationMode, Source } from "../core/types.js";
import { GrowingText } from "./text-buffer.js";

/** A page that stands behind a piece of the text. Offsets in characters as JavaScript counts them; the end is excluded. */
export type Annotation = { url: string; title: string; start: number; end: number };

const heading = "**参考 / Sources**";
const footerPattern = /\n\n\*\*参考 \/ Sources\*\*\n\n(?:\d+\. \[[^\n]*\]\([^\n]*\)(?:\n|$))+$/;
const markerPattern = /\[\d{1,3}\]\((?:https?:\/\/[^\s)]*|#)\)/g;

/** The end of a sentence that another one follows. */
const sentenceEnd = /[。！？!?\n](?=[^。！？!?\n])|\.(?=\s+\S)/g;
/** A passage longer than this is cited by its last part. */
const longestPassage = 2_000;

/** The text of an answer without what `CitationWriter` added to it. */
export function withoutCitations(text: string): string {
  return text.replace(footerPattern, "").replace(markerPattern, "").trimEnd();
}

/**
 * Writes the citations of one answer in the mode that was asked for: `inline` puts `[1](url)` behind the cited words
 * and the list at the end, `footer` only the list, `annotations` neither, `off` nothing at all.
 */
export class CitationWriter {
  #mode: CitationMode = "inline";
  readonly #sources: Source[] = [];
  /** Sources in the order in which they are first cited; the place gives the number that is shown. */
  readonly #cited: Source[] = [];
  readonly #annotations: Annotation[] = [];
  #length = 0;
  /** The text since the last citation or the first page; its end is the end of all that was written. */
  #passage = new GrowingText();
  /** The words that were cited last, for a mark that follows another at once. */
  #words = { start: 0, end: 0 };

  /** The text that an event adds to the answer. */
  write(event: ChatEvent): string {
    switch (event.type) {
      case "start":
        this.#mode = event.citations;
        return "";
      case "text":
        return this.#add(event.text);
      case "source":
        this.#sources.push(event.source);
        return "";
      case "citation":
        return this.#mode === "off" ? "" : this.#cite(event.sources);
      case "finish":
        // What was withdrawn has nothing behind it.
        if (event.reason === "content-filter") this.#mode = "off";
        return this.#footer();
      default:
        return "";
    }
  }

  /** The pages behind the text: each citation's words, or the text's end for pages that are not cited. */
  annotations(): Annotation[] {
    if (this.#mode === "off") return [];
    if (this.#annotations.length > 0) return this.#annotations;
    const end = this.#length;
    return this.#sources.map(({ url, title }) => ({ url, title, start: end, end }));
  }

  #add(text: string): string {
    this.#length += text.length;
    if (this.#sources.length === 0) return text;
    this.#passage.add(text);
    if (this.#passage.length > 2 * longestPassage) {
      const end = this.#passage.toString().slice(-longestPassage);
      this.#passage = new GrowingText();
      this.#passage.add(end);
    }
    return text;
  }

  #cite(indexes: readonly number[]): string {
    this.#words = this.#citedWords(this.#passage.toString()) ?? this.#words;
    this.#passage = new GrowingText();
    let markers = "";
    for (const index of indexes) {
      const source = this.#sources.find((candidate) => candidate.index === index);
      if (!source) continue;
      const { url, title } = source;
      if (!this.#cited.includes(source)) this.#cited.push(source);
      this.#annotations.push({ url, title, ...this.#words });
      if (this.#mode === "inline") markers += `[${this.#cited.indexOf(source) + 1}](${escapeUrl(url)})`;
    }
    this.#length += markers.length;
    return markers;
  }

  /** The sentence, or the part of it since the last citation, that ends here; none where there are no words. */
  #citedWords(passage: string): { start: number; end: number } | undefined {
    const spoken = passage.trimEnd();
    const from = Math.max(0, ...[...spoken.matchAll(sentenceEnd)].map((match) => match.index + 1));
    const sentence = spoken.slice(from);
    const first = sentence.search(/[^\s\p{P}\udc00-\udfff]/u);
    if (first === -1) return undefined;
    const begin = this.#length - passage.length;
    return { start: begin + from + first, end: begin + spoken.length };
  }

  /** The Markdown list that the original put at the end of an answer; empty without sources. */
  #footer(): string {
    if (this.#mode !== "inline" && this.#mode !== "footer") return "";
    const listed = this.#cited.length > 0 ? this.#cited : this.#sources;
    if (listed.length === 0) return "";
    const lines = listed.map(
      (source, at) => `${at + 1}. [${escapeTitle(source.title)}](${escapeUrl(source.url)})`,
    );
    return `\n\n${heading}\n\n${lines.join("\n")}`;
  }
}

/** A page's title is a stranger's text: it must stay inside the brackets. */
function escapeTitle(title: string): string {
  return title
    .replace(/\s+/g, " ")
    .replace(/[\\[\]<>`*_!|#]/g, "\\$&")
    .slice(0, 300);
}

/** Only a web address becomes a link, and it cannot close its own parenthesis. */
function escapeUrl(url: string): string {
  if (!/^https?:\/\//i.test(url)) return "#";
  return url.replace(
    /[\s()<>"'`\\[\]]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
