import { GatewayError } from "../../core/errors.js";
import type { ChatEvent, ChatRequest, Message, Principal } from "../../core/types.js";
import { asText, type JsonObject } from "../../lib/json.js";
import type { TextSealer } from "../../lib/text-sealer.js";
import { outputItemId } from "./ids.js";
import { itemType, type PlacedItem } from "./input-items.js";
import type { ItemEvent, ItemSource, OutputItem } from "./output-item.js";
import { readMessages } from "./parse.js";
import type { CompactBody } from "./schema.js";
import { seal } from "./sealed-items.js";

/** The type of the item that asks for a compacted history, at the end of `input` (clients.md §4.2). */
const triggerType = "compaction_trigger";

const instruction = [
  "The conversation above is about to be replaced by a summary, from which the work goes on without it.",
  "Write this summary, in the language of the conversation and in at most 2,000 words. It has to keep:",
  "- what the user wants, with the constraints and decisions so far",
  "- every fact that was stated and may be needed: names, numbers, paths, commands, addresses, exactly",
  "- what was done, with its results, and the files that were read or changed",
  "- what is open, and the next step",
  "Write nothing but the summary, and do not call any function.",
].join("\n");

/** The items without a trigger at their end; undefined if there is none. */
export function itemsToCompact(items: readonly PlacedItem[]): readonly PlacedItem[] | undefined {
  const last = items.at(-1);
  return last && itemType(last.item) === triggerType ? items.slice(0, -1) : undefined;
}

/** The request for a summary of the items. Throws `invalid_request` as `readMessages` does. */
export function summaryRequest(
  body: Pick<CompactBody, "model" | "instructions"> & { stream?: boolean | null },
  options: {
    items: readonly PlacedItem[];
    principal: Principal;
    signal: AbortSignal;
    sealer: Pick<TextSealer, "open">;
  },
): ChatRequest {
  const asked: Message = { role: "user", content: [{ type: "text", text: instruction }] };
  return {
    model: body.model,
    messages: [...readMessages(body, options), asked],
    search: false,
    citations: "off",
    requestedFeatures: [],
    stream: body.stream ?? false,
    usage: "final",
    principal: options.principal,
    signal: options.signal,
  };
}

/** Makes one item of a summary, which only this server can read. */
export class CompactionItems implements ItemSource {
  readonly #responseId: string;
  readonly #sealer: Pick<TextSealer, "seal">;
  readonly #items: OutputItem[] = [];
  #summary = "";

  constructor(responseId: string, sealer: Pick<TextSealer, "seal">) {
    this.#responseId = responseId;
    this.#sealer = sealer;
  }

  get items(): readonly OutputItem[] {
    return this.#items;
  }

  /** Throws `upstream_protocol` if the model wrote no summary. */
  onEvent(event: ChatEvent): ItemEvent[] {
    if (event.type === "text") this.#summary += event.text;
    if (event.type !== "finish") return [];
    if (event.reason === "content-filter" || this.#summary.trim() === "")
      throw new GatewayError(
        "upstream_protocol",
        "The model wrote no summary of the conversation. Try again.",
      );
    const encrypted_content = seal(this.#sealer, "compaction", this.#summary.trim());
    const item: OutputItem = {
      type: "compaction",
      id: outputItemId("compaction", this.#responseId, 0),
      encrypted_content,
    };
    this.#items.push(item);
    return [
      { type: "response.output_item.added", output_index: 0, item },
      { type: "response.output_item.done", output_index: 0, item },
    ];
  }
}

/** Characters of the user's messages that stay beside a summary, from the newest back. */
const keptLength = 80_000;

/** The user's messages that stay in a compacted history, oldest first; those before them are in the summary alone. */
export function keptMessages(items: readonly PlacedItem[]): JsonObject[] {
  const kept: JsonObject[] = [];
  let length = 0;
  for (const { item } of items.toReversed()) {
    if (itemType(item) !== "message" || asText(item.role) !== "user") continue;
    length += JSON.stringify(item).length;
    if (length > keptLength) break;
    kept.unshift({ ...item, type: "message" });
  }
  return kept;
}
