import type { ChatEvent, Source } from "./types.js";

const heading = "**参考 / Sources**";
const footerPattern = /\n\n\*\*参考 \/ Sources\*\*\n\n(?:\d+\. \[[^\n]*\]\([^\n]*\)(?:\n|$))+$/;

/** The text of an answer without the list that `SourceList` put at its end. */
export function withoutFooter(text: string): string {
  return text.replace(footerPattern, "").trimEnd();
}

/** Keeps the sources of an answer and which of them it cites, and lists them at its end. */
export class SourceList {
  readonly #sources: Source[] = [];
  readonly #cited = new Set<number>();

  /** Takes in what the answer found and cited. */
  hear(event: ChatEvent): void {
    if (event.type === "source") this.#sources.push(event.source);
    else if (event.type === "citation") for (const index of event.sources) this.#cited.add(index);
  }

  /** What the answer cites; all that it found where it cites nothing. */
  used(): Source[] {
    return this.#cited.size === 0
      ? this.#sources
      : this.#sources.filter(({ index }) => this.#cited.has(index));
  }

  /** The Markdown list that the original put at the end of an answer; empty without sources. */
  footer(): string {
    const lines = this.used().map(
      (source, at) => `${at + 1}. [${escapeTitle(source.title)}](${escapeUrl(source.url)})`,
    );
    return lines.length === 0 ? "" : `\n\n${heading}\n\n${lines.join("\n")}`;
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
