import type { JsonObject } from "./json.js";

type TextBlock = { kind: "think" | "text"; id: string; parentId: string; content: string };

/** The content of an answer so far, block by block. */
export class AnswerContent {
  readonly #blocks: (TextBlock | JsonObject)[] = [];
  #currentBlock: TextBlock | undefined;

  openBlock(kind: TextBlock["kind"], id: string, parentId: string, content: string): void {
    this.#currentBlock = { kind, id, parentId, content };
    this.#blocks.push(this.#currentBlock);
  }

  append(delta: string): void {
    if (this.#currentBlock) this.#currentBlock.content += delta;
  }

  replace(content: string): void {
    if (this.#currentBlock) this.#currentBlock.content = content;
  }

  /** Adds a block of another kind in its final form. */
  addBlock(block: JsonObject): void {
    this.#blocks.push(block);
  }

  /** The content of the latest block. */
  get currentContent(): string {
    return this.#currentBlock?.content ?? "";
  }

  /** The text of the answer without thinking. */
  get text(): string {
    return this.#blocks
      .map((block) => (isTextBlock(block) && block.kind === "text" ? block.content : ""))
      .join("");
  }

  /** The blocks as ListMessages returns them (kimi-web.md §2.5). */
  toMessageBlocks(messageId: string): JsonObject[] {
    return this.#blocks.map((block) => {
      if (!isTextBlock(block)) return { ...block, messageId };
      const { kind, id, parentId, content } = block;
      return { id, parentId, messageId, [kind]: { content } };
    });
  }
}

function isTextBlock(block: TextBlock | JsonObject): block is TextBlock {
  return "kind" in block;
}
