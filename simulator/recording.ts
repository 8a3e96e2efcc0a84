import type { JsonObject } from "./json.js";

type Said = { kind: "think" | "text"; id: string; parentId: string; content: string };

/** What an answer has said so far, block by block, for the chat to remember. */
export class Recording {
  readonly #said: (Said | JsonObject)[] = [];
  #current: Said | undefined;

  open(kind: Said["kind"], id: string, parentId: string, content: string): void {
    this.#current = { kind, id, parentId, content };
    this.#said.push(this.#current);
  }

  extend(delta: string): void {
    if (this.#current) this.#current.content += delta;
  }

  replace(content: string): void {
    if (this.#current) this.#current.content = content;
  }

  except(block: JsonObject): void {
    this.#said.push(block);
  }

  /** The content of the latest block. */
  get latest(): string {
    return this.#current?.content ?? "";
  }

  /** The answer without its thoughts. */
  get text(): string {
    return this.#said.map((block) => (isSaid(block) && block.kind === "text" ? block.content : "")).join("");
  }

  /** The blocks as ListMessages shows them (kimi-web.md §2.5). */
  blocks(messageId: string): JsonObject[] {
    return this.#said.map((block) => {
      if (!isSaid(block)) return { ...block, messageId };
      const { kind, id, parentId, content } = block;
      return { id, parentId, messageId, [kind]: { content } };
    });
  }
}

function isSaid(block: Said | JsonObject): block is Said {
  return "kind" in block;
}
