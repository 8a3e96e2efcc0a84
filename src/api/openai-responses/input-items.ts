import type { Message, Part, ToolCall } from "../../core/types.js";
import { asText, isObject, type JsonObject, objectsIn } from "../../lib/json.js";
import type { TextSealer } from "../../lib/text-sealer.js";
import { invalidParameter } from "../invalid-parameter.js";
import { readContent, readOutput } from "./content-parts.js";
import { readSummary, type SealedKind, unseal } from "./sealed-items.js";
import { customArguments, flatName } from "./tool-names.js";

/** An item of a conversation, and where it stands in the request, for error messages. */
export type PlacedItem = { item: JsonObject; path: string };

type Sealer = Pick<TextSealer, "open">;

/** The items of `input`, a text being one message. Throws `invalid_request` for an item that is no object. */
export function placeItems(input: string | readonly unknown[] | null | undefined): PlacedItem[] {
  if (input === undefined || input === null || input === "") return [];
  if (typeof input === "string")
    return [{ item: { type: "message", role: "user", content: input }, path: "input" }];
  return input.map((item, index) => {
    const path = `input[${index}]`;
    if (typeof item === "string") return { item: { type: "message", role: "user", content: item }, path };
    if (!isObject(item)) throw invalidParameter(path, "expected an item such as {role, content}");
    return { item, path };
  });
}

/** The type of an item; messages need none, and a reference may have its id alone. */
export function itemType(item: JsonObject): string {
  const type = asText(item.type);
  if (type !== undefined) return type;
  if (item.role !== undefined) return "message";
  return item.id === undefined ? "" : "item_reference";
}

/**
 * The messages that the items are. What the model gave in one turn is several items here and one message there, as in
 * chat completions, so that a conversation goes on in either dialect. Items of unknown types are left out. Throws
 * `invalid_request` with the field.
 */
export function readItems(items: readonly PlacedItem[], sealer: Sealer): Message[] {
  const reader = new ItemReader(sealer);
  for (const placed of items) reader.read(placed);
  return reader.end();
}

class ItemReader {
  readonly #sealer: Sealer;
  readonly #messages: Message[] = [];
  #turn: AssistantTurn | undefined;
  /** Names of the tools by the id of their call, for their results. */
  readonly #callNames = new Map<string, string>();

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  end(): Message[] {
    this.#endTurn();
    return this.#messages;
  }

  read({ item, path }: PlacedItem): void {
    switch (itemType(item)) {
      case "message":
        this.#readMessage(item, path);
        break;
      case "reasoning":
        this.#assistant.addReasoning(readReasoning(item, this.#sealer));
        break;
      case "function_call":
        this.#addCall(item, path, readArguments(item.arguments));
        break;
      case "custom_tool_call":
        this.#addCall(item, path, customArguments(asText(item.input) ?? ""));
        break;
      case "local_shell_call":
        this.#addCall({ ...item, name: "local_shell" }, path, readArguments(item.action));
        break;
      case "function_call_output":
      case "custom_tool_call_output":
      case "local_shell_call_output":
        this.#addResult(item, path);
        break;
      case "web_search_call":
        this.#turn?.addSearch();
        break;
      case "compaction":
      case "compaction_summary":
      case "context_compaction":
        this.#addSummary(item, path);
        break;
    }
  }

  get #assistant(): AssistantTurn {
    this.#turn ??= new AssistantTurn();
    return this.#turn;
  }

  #endTurn(): void {
    if (this.#turn && !this.#turn.isEmpty) this.#messages.push(this.#turn.toMessage());
    this.#turn = undefined;
  }

  #push(message: Message): void {
    this.#endTurn();
    this.#messages.push(message);
  }

  #readMessage(item: JsonObject, path: string): void {
    const content = readContent(item.content, `${path}.content`);
    switch (item.role) {
      case "system":
      case "developer":
        this.#push({ role: "system", content });
        break;
      case "user":
        this.#push({ role: "user", content });
        break;
      case "assistant":
        this.#assistant.addText(content);
        break;
      default:
        throw invalidParameter(`${path}.role`, "expected user, assistant, system or developer");
    }
  }

  #addCall(item: JsonObject, path: string, args: string): void {
    const name = asText(item.name);
    if (name === undefined) throw invalidParameter(`${path}.name`, "expected the name of a tool");
    const id = asText(item.call_id) ?? asText(item.id) ?? "";
    const call = { id, name: flatName(name, asText(item.namespace)), arguments: args };
    this.#callNames.set(id, call.name);
    this.#assistant.addCall(call);
  }

  #addResult(item: JsonObject, path: string): void {
    const toolCallId = asText(item.call_id) ?? asText(item.id) ?? "";
    const name = this.#callNames.get(toolCallId);
    const content = readOutput(item.output, `${path}.output`);
    this.#push({ role: "tool", content, toolCallId, ...(name === undefined ? {} : { name }) });
  }

  /** The summary stands in the place of the messages that it is of. */
  #addSummary(item: JsonObject, path: string): void {
    const summary = openSealed(item, "compaction", this.#sealer);
    if (summary === undefined) {
      const problem = "this compacted history was not made by this server, so that it cannot be read here";
      throw invalidParameter(`${path}.encrypted_content`, `${problem}; begin a new session`);
    }
    this.#push({ role: "user", content: [{ type: "text", text: readSummary(summary) }] });
  }
}

/** What the model gave between two messages of others; reasoning alone is an answer, too, that a conversation goes on after. */
class AssistantTurn {
  readonly #content: Part[] = [];
  readonly #toolCalls: ToolCall[] = [];
  #reasoning = "";
  /** Whether another item has interrupted the text, which the next text then continues: so answers are split into items. */
  #isInterrupted = false;

  get isEmpty(): boolean {
    return this.#content.length === 0 && this.#toolCalls.length === 0 && this.#reasoning === "";
  }

  addText(content: readonly Part[]): void {
    if (content.length === 0) return;
    const isSeparate = this.#content.length > 0 && !this.#isInterrupted;
    this.#isInterrupted = false;
    if (isSeparate) this.#content.push({ type: "text", text: "\n\n" });
    this.#content.push(...content);
  }

  addReasoning(text: string): void {
    this.#reasoning += text;
    this.#isInterrupted = true;
  }

  addCall(call: ToolCall): void {
    this.#toolCalls.push(call);
    this.#isInterrupted = true;
  }

  addSearch(): void {
    this.#isInterrupted = true;
  }

  toMessage(): Message {
    return {
      role: "assistant",
      content: this.#content,
      ...(this.#reasoning === "" ? {} : { reasoning: this.#reasoning }),
      ...(this.#toolCalls.length > 0 ? { toolCalls: this.#toolCalls } : {}),
    };
  }
}

/** The reasoning of an earlier answer; empty if it was sealed by another service. */
function readReasoning(item: JsonObject, sealer: Sealer): string {
  if (asText(item.encrypted_content) !== undefined) return openSealed(item, "reasoning", sealer) ?? "";
  return objectsIn(item.summary)
    .map(({ text }) => asText(text) ?? "")
    .join("");
}

function openSealed(item: JsonObject, kind: SealedKind, sealer: Sealer): string | undefined {
  const sealed = asText(item.encrypted_content);
  return sealed === undefined ? undefined : unseal(sealer, kind, sealed);
}

function readArguments(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}
