import { limits } from "../core/limits.js";
import type { ChatEvent, CitationMode, Source } from "../core/types.js";
import { escapeTitle, escapeUrl } from "../lib/markdown.js";

/** A source cited by a range of the answer's text. Offsets are UTF-16 code units; `end` is exclusive. */
export type Annotation = { url: string; title: string; start: number; end: number };

const footerHeading = "**参考 / Sources**";
// The addresses that these patterns match are those of `escapeUrl`, without brackets and parentheses. If an address or a
// title could contain the beginning of another match, a text of such beginnings would take quadratic time.
const footerPattern =
  /\n\n\*\*参考 \/ Sources\*\*\n\n(?:\d{1,3}\. \[[^\n]{0,300}\]\([^\s()[\]]*\)(?:\n|$))+$/;
const markerPattern = /\[\d{1,3}\]\((?:https?:\/\/[^\s()[\]]*|#)\)/g;

/** A character that a marker behind it would not stick to. */
const standsApartBefore = /[\s\p{Ps}\p{Pi}]/u;
/** The beginning of a text that a marker before it would stick to, or that could be read as a part of its link. */
const sticksToMarker = /^[\p{L}\p{N}\p{M}\p{Ps}\p{Pi}\p{So}\p{Sc}\p{Cs}]/u;

/** A sentence end that is followed by another sentence. */
const sentenceEnd = /[。！？!?\n](?=[^。！？!?\n])|\.(?=\s+\S)/g;
/** Characters. Only the last part of a longer passage counts as cited. */
const maxPassageLength = 2_000;

/**
 * Removes the markers and the list that `CitationWriter` adds to an answer's text. The spaces that set markers off stay,
 * since they cannot be told from those of the text.
 */
export function withoutCitations(text: string): string {
  return text.replace(footerPattern, "").replace(markerPattern, "").trimEnd();
}

/**
 * Renders the citations of one answer: `inline` writes ` [1](url)` behind the cited words and a list at the end,
 * `footer` only the list; both have annotations as well. `annotations` writes no text, `off` nothing at all.
 */
export class CitationWriter {
  #mode: CitationMode = "inline";
  readonly #sources: Source[] = [];
  /** In order of first citation; the shown number is the index plus one. */
  readonly #citedSources: Source[] = [];
  readonly #annotations: Annotation[] = [];
  /** Citations of sources that have not come, and the sources that came after their citations. */
  #openCitations: { index: number; start: number; end: number }[] = [];
  readonly #lateSources: Source[] = [];
  #length = 0;
  /** The text since the last citation, or since the first source; ends where the written text ends. */
  #passage = "";
  /** The last cited range; a mark directly behind another cites the same one. */
  #citedRange = { start: 0, end: 0 };
  /** What was written last. */
  #lastWritten = "";
  #endsWithMarker = false;

  /** Returns the text that the event adds to the answer, citations included. */
  write(event: ChatEvent): string {
    switch (event.type) {
      case "start":
        this.#mode = event.citations;
        return "";
      case "text":
        return this.#addText(event.text);
      case "source":
        this.#addSource(event.source);
        return "";
      case "citation":
        return this.#mode === "off" ? "" : this.#cite(event.sources);
      case "finish":
        // A withdrawn answer has no citations.
        if (event.reason === "content-filter") this.#mode = "off";
        return this.#footer();
      default:
        return "";
    }
  }

  /** One annotation for each citation; if nothing was cited, one for each source at the end of the text. */
  annotations(): Annotation[] {
    if (this.#mode === "off") return [];
    if (this.#annotations.length > 0) return this.#annotations;
    const end = this.#length;
    return this.#sources.map(({ url, title }) => ({ url, title, start: end, end }));
  }

  /** A source that was cited before it came is annotated, and listed; its number cannot be written into the text any more. */
  #addSource(source: Source): void {
    this.#sources.push(source);
    const open = this.#openCitations.filter(({ index }) => index === source.index);
    if (open.length === 0) return;
    this.#openCitations = this.#openCitations.filter(({ index }) => index !== source.index);
    this.#lateSources.push(source);
    const { url, title } = source;
    for (const { start, end } of open) this.#annotations.push({ url, title, start, end });
  }

  #addText(text: string): string {
    if (text === "") return "";
    const written = this.#endsWithMarker && sticksToMarker.test(text) ? ` ${text}` : text;
    this.#endsWithMarker = false;
    this.#lastWritten = written;
    this.#length += written.length;
    if (this.#sources.length === 0) return written;
    this.#passage += written;
    if (this.#passage.length > 2 * maxPassageLength) this.#passage = this.#passage.slice(-maxPassageLength);
    return written;
  }

  #cite(indexes: readonly number[]): string {
    // Before the first source the words are not kept: the position alone is known.
    const here = { start: this.#length, end: this.#length };
    const unknown = this.#sources.length === 0 ? here : this.#citedRange;
    this.#citedRange = this.#citedWords(this.#passage) ?? unknown;
    this.#passage = "";
    const markers: string[] = [];
    for (const index of indexes) {
      const source = this.#sources.find((candidate) => candidate.index === index);
      if (!source) {
        if (this.#openCitations.length < limits.sourceReferences)
          this.#openCitations.push({ index, ...this.#citedRange });
        continue;
      }
      const { url, title } = source;
      if (!this.#citedSources.includes(source)) this.#citedSources.push(source);
      this.#annotations.push({ url, title, ...this.#citedRange });
      if (this.#mode === "inline")
        markers.push(`[${this.#citedSources.indexOf(source) + 1}](${escapeUrl(url)})`);
    }
    return markers.length > 0 ? this.#addMarkers(markers) : "";
  }

  /** Markers stand apart from each other and from words, which Markdown and readers would take for a part of them. */
  #addMarkers(markers: readonly string[]): string {
    const last = this.#lastWritten.at(-1);
    const isApart = last === undefined || standsApartBefore.test(last);
    const written = `${isApart ? "" : " "}${markers.join(" ")}`;
    this.#lastWritten = written;
    this.#endsWithMarker = true;
    this.#length += written.length;
    return written;
  }

  /** The range of the last sentence of a passage, or undefined if it has no words. */
  #citedWords(passage: string): { start: number; end: number } | undefined {
    const trimmed = passage.trimEnd();
    const sentenceStart = Math.max(0, ...[...trimmed.matchAll(sentenceEnd)].map((match) => match.index + 1));
    const sentence = trimmed.slice(sentenceStart);
    const firstWord = sentence.search(/[^\s\p{P}\udc00-\udfff]/u);
    if (firstWord === -1) return undefined;
    const passageStart = this.#length - passage.length;
    return { start: passageStart + sentenceStart + firstWord, end: passageStart + trimmed.length };
  }

  /** The Markdown list of sources that kimi-free-api put at the end of an answer; empty without sources. */
  #footer(): string {
    if (this.#mode !== "inline" && this.#mode !== "footer") return "";
    const cited = [...new Set([...this.#citedSources, ...this.#lateSources])];
    const listed = cited.length > 0 ? cited : this.#sources;
    if (listed.length === 0) return "";
    const lines = listed.map(
      (source, index) => `${index + 1}. [${escapeTitle(source.title)}](${escapeUrl(source.url)})`,
    );
    return `\n\n${footerHeading}\n\n${lines.join("\n")}`;
  }
}

/** The text of an answer with its citations as `inline` shows them, but without the list at the end. */
export class InlineText {
  readonly #writer = new CitationWriter();
  #text = "";

  /** `before`: the text before the first source. */
  constructor(before: string) {
    this.add({ type: "text", text: before });
  }

  add(event: Extract<ChatEvent, { type: "text" | "source" | "citation" }>): void {
    this.#text += this.#writer.write(event);
  }

  get text(): string {
    return this.#text;
  }
}
