import type { GatewayError } from "../../core/errors.js";
import type { MediaSource, Part } from "../../core/types.js";
import { withExtension } from "../../files/media-type.js";
import { asObject, asText, type JsonObject, objectsIn } from "../../lib/json.js";
import { invalidParameter } from "../invalid-parameter.js";
import { readMediaSource, toStandardAddress } from "../media-address.js";
import { printableName } from "../unknown-parameters.js";

/**
 * Collects the parts of a message. Between two blocks of text is a line break, as their readers see them: the blocks end
 * with one or not, and clients divide the same text into other blocks later.
 */
export class PartList {
  readonly parts: Part[] = [];

  addText(text: string): void {
    const last = this.parts.at(-1);
    if (last?.type !== "text") {
      if (text !== "") this.parts.push({ type: "text", text });
      return;
    }
    const isApart = text === "" || last.text.endsWith("\n") || text.startsWith("\n");
    last.text += isApart ? text : `\n${text}`;
  }

  add(part: Part): void {
    if (part.type === "text") this.addText(part.text);
    else this.parts.push(part);
  }
}

/**
 * Reads a block of what the model is given: of a user's message, or of a tool's result. Throws `invalid_request` that names
 * the type of a block which the model cannot be given.
 */
export function readUserBlock(block: JsonObject, path: string): Part[] {
  switch (block.type) {
    case "text":
      return [{ type: "text", text: requireText(block.text, `${path}.text`) }];
    case "image":
      return [readMedia("image", block.source, `${path}.source`)];
    case "document":
      return readDocument(block, path);
    case "search_result":
      return [{ type: "text", text: readSearchResult(block, path) }];
    case "tool_reference":
      return [{ type: "text", text: `The function ${asText(block.tool_name) ?? ""} is available now.` }];
    default:
      throw unknownBlock(block, path);
  }
}

/** The refusal of a block whose content would be missing in the answer. */
export function unknownBlock({ type }: JsonObject, path: string): GatewayError {
  const shown = typeof type === "string" ? `“${printableName(type)}”` : "without a type";
  return invalidParameter(
    `${path}.type`,
    `a block ${shown} cannot be given to the model; remove it, or send what it says as text`,
  );
}

export function requireText(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw invalidParameter(path, "expected text");
}

function readMedia(type: "image" | "file", value: unknown, path: string, name?: string): Part {
  const named = name === undefined ? {} : { name };
  const { source, mediaType } = readSource(value, path);
  return { type, source, ...(mediaType === undefined ? {} : { mediaType }), ...named, path };
}

function readSource(value: unknown, path: string): { source: MediaSource; mediaType?: string } {
  const source = asObject(value);
  switch (source?.type) {
    case "base64": {
      const data = requireText(source.data, `${path}.data`);
      const address = data.startsWith("data:")
        ? data
        : `data:${asText(source.media_type) ?? ""};base64,${data}`;
      return readMediaSource(toStandardAddress(address, `${path}.data`), `${path}.data`);
    }
    case "url": {
      const url = requireText(source.url, `${path}.url`);
      return readMediaSource(toStandardAddress(url, `${path}.url`), `${path}.url`);
    }
    case "file":
      return { source: { kind: "file-id", id: requireText(source.file_id, `${path}.file_id`) } };
    default:
      throw invalidParameter(path, "expected {type: base64, url or file}");
  }
}

/** A document: a file, or a text with its title and context around it. */
function readDocument(block: JsonObject, path: string): Part[] {
  const { source: value, title, context } = block;
  const source = asObject(value);
  const place = `${path}.source`;
  switch (source?.type) {
    case "text":
      return [{ type: "text", text: framed(block, requireText(source.data, `${place}.data`)) }];
    case "content":
      return readContentDocument(block, source.content, `${place}.content`);
    default: {
      const name = asText(title);
      const mediaType = asText(source?.media_type) ?? (source?.type === "base64" ? "" : "application/pdf");
      const file = readMedia("file", value, place, name && withExtension(name, mediaType));
      const about = asText(context);
      return [...(about ? [{ type: "text" as const, text: about }] : []), file];
    }
  }
}

function readContentDocument(block: JsonObject, content: unknown, path: string): Part[] {
  if (typeof content === "string") return [{ type: "text", text: framed(block, content) }];
  if (!Array.isArray(content)) throw invalidParameter(path, "expected text or a list of blocks");
  const list = new PartList();
  for (const [index, each] of content.entries()) {
    const place = `${path}[${index}]`;
    const inner = asObject(each);
    if (!inner) throw invalidParameter(place, "expected a block");
    for (const part of readUserBlock(inner, place)) list.add(part);
  }
  const [begin, end] = frame(block);
  return [{ type: "text", text: begin }, ...list.parts, { type: "text", text: end }];
}

function framed(block: JsonObject, text: string): string {
  const [begin, end] = frame(block);
  return `${begin}\n${text}\n${end}`;
}

/** The lines in front of a document and behind it. */
function frame({ title, context }: JsonObject): [string, string] {
  const heading = asText(title) === undefined ? "[document]" : `[document: ${asText(title)}]`;
  const about = asText(context);
  return [about === undefined ? heading : `${heading}\n${about}`, "[end of document]"];
}

function readSearchResult({ title, source, content }: JsonObject, path: string): string {
  const texts = objectsIn(content).map(({ text }, index) =>
    requireText(text, `${path}.content[${index}].text`),
  );
  const heading = [asText(title), asText(source)].filter((each) => each !== undefined).join(", ");
  return `[search result: ${heading}]\n${texts.join("\n")}\n[end of search result]`;
}
