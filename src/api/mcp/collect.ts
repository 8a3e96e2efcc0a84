import type { CallToolResult } from "@modelcontextprotocol/server";
import { CitationWriter } from "../../chat/citations.js";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent, FinishReason, Source } from "../../core/types.js";
import { AnswerFacts } from "../stream/answer-facts.js";
import type { ToolOutput } from "./schema.js";

/** Collects an answer into the result of a tool. */
export class ResultCollector {
  readonly #facts = new AnswerFacts("");
  readonly #citations = new CitationWriter();
  readonly #sources: Source[] = [];
  #text = "";
  /** The list of sources, which `sources` says to programs. */
  #footer = "";
  #reason: FinishReason | undefined;

  onEvent(event: ChatEvent): void {
    this.#facts.onEvent(event);
    const written = this.#citations.write(event);
    if (event.type === "finish") {
      this.#footer = written;
      this.#reason = event.reason;
    } else this.#text += written;
    if (event.type === "source" && this.#sources.length < limits.sourceReferences)
      this.#sources.push(event.source);
    if (event.type === "retract") this.#text = "";
  }

  /** The result of a finished answer. Throws `content_filter` for one that Kimi has withdrawn or refused. */
  result(notes: readonly string[]): CallToolResult {
    if (this.#reason === "content-filter")
      throw new GatewayError(
        "content_filter",
        "Kimi withdrew or refused the answer. Put the question another way.",
      );
    const { conversation } = this.#facts;
    const allNotes = [...notes, ...this.#notes()];
    const output: ToolOutput = {
      answer: this.#text,
      sources: this.#orderedSources(),
      ...(conversation === undefined ? {} : { conversation_id: conversation }),
      ...(allNotes.length === 0 ? {} : { notes: allNotes }),
    };
    const remarks = [
      ...allNotes.map((note) => `Note: ${note}`),
      ...(conversation === undefined
        ? []
        : [`conversation_id: ${conversation} (kimi_ask goes on in this conversation with it)`]),
    ];
    const texts = [this.#text + this.#footer, ...(remarks.length === 0 ? [] : [remarks.join("\n")])];
    return { content: texts.map((text) => ({ type: "text", text })), structuredContent: output };
  }

  #notes(): string[] {
    const { start, notices } = this.#facts;
    const ignored = start?.ignored ?? [];
    return [
      ...(start?.simulated ? ["The simulator answered: no Kimi account is connected."] : []),
      ...(ignored.length === 0 ? [] : [`This model ignores: ${ignored.join(", ")}.`]),
      ...(this.#reason === "length" ? ["The answer is cut: it is longer than the model writes."] : []),
      ...(notices.takeFields().moonbridge_notices ?? []).map(({ message }) => message),
    ];
  }

  /** The cited ones first, in the order of their numbers in the text. */
  #orderedSources(): ToolOutput["sources"] {
    const order = [...new Set(this.#citations.annotations().map(({ url }) => url))];
    const byUrl = new Map(this.#sources.toReversed().map((source) => [source.url, source]));
    const urls = new Set([...order, ...this.#sources.map(({ url }) => url)]);
    return [...urls].flatMap((url) => byUrl.get(url) ?? []).map(withoutIndex);
  }
}

function withoutIndex({ title, url, snippet, site, published }: Source): ToolOutput["sources"][number] {
  return {
    title,
    url,
    ...(snippet === undefined ? {} : { snippet }),
    ...(site === undefined ? {} : { site }),
    ...(published === undefined ? {} : { published }),
  };
}
