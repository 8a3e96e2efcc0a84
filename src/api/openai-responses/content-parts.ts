import type { MediaPart, Part } from "../../core/types.js";
import { asObject, asText, isObject, type JsonObject } from "../../lib/json.js";
import { invalidParameter } from "../invalid-parameter.js";
import { readMediaSource, toStandardAddress } from "../media-address.js";

/** Reads the content of a message: a text or a list of parts. Throws `invalid_request` with the field. */
export function readContent(content: unknown, path: string): Part[] {
  return readParts(content, path, (part, place) => {
    const expected = "expected input_text, input_image, input_file or output_text";
    if (part.type === "input_audio")
      throw invalidParameter(place, "audio is not supported; send its transcript as text");
    throw invalidParameter(`${place}.type`, expected);
  });
}

/** Reads what a tool has returned. A part of an unknown kind is shown to the model as JSON. */
export function readOutput(output: unknown, path: string): Part[] {
  if (isObject(output)) return [{ type: "text", text: JSON.stringify(output) }];
  return readParts(output, path, (part) => ({ type: "text", text: JSON.stringify(part) }));
}

function readParts(
  content: unknown,
  path: string,
  readUnknown: (part: JsonObject, path: string) => Part,
): Part[] {
  if (content === undefined || content === null || content === "") return [];
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!Array.isArray(content)) throw invalidParameter(path, "expected text or a list of parts");
  return content.map((part: unknown, index): Part => {
    const place = `${path}[${index}]`;
    if (typeof part === "string") return { type: "text", text: part };
    if (!isObject(part))
      throw invalidParameter(place, 'expected a part such as {type: "input_text", text: "…"}');
    return readPart(part, place) ?? readUnknown(part, place);
  });
}

/** The part; undefined if its kind is unknown. */
function readPart(part: JsonObject, path: string): Part | undefined {
  switch (part.type) {
    case undefined:
    case null:
    case "text":
    case "input_text":
    case "output_text":
    case "summary_text":
    case "reasoning_text":
      if (typeof part.text !== "string") throw invalidParameter(`${path}.text`, "expected text");
      return { type: "text", text: part.text };
    case "refusal":
      return { type: "text", text: typeof part.refusal === "string" ? part.refusal : "" };
    case "input_image":
    case "image_url":
      return readImage(part, path);
    case "input_file":
    case "file":
      return readFile(part, path);
    default:
      return undefined;
  }
}

function readImage(part: JsonObject, path: string): MediaPart {
  const address = asText(asObject(part.image_url)?.url) ?? asText(part.image_url) ?? asText(part.file_id);
  if (address === undefined)
    throw invalidParameter(`${path}.image_url`, "expected an address, a data URL or a file_id");
  return { type: "image", ...readMediaSource(toStandardAddress(address, path), path), path };
}

function readFile(part: JsonObject, path: string): MediaPart {
  const file = asObject(part.file) ?? part;
  const address = asText(file.file_data) ?? asText(file.file_url) ?? asText(file.file_id);
  if (address === undefined) throw invalidParameter(path, "expected file_data, file_url or file_id");
  const name = asText(file.filename);
  return {
    type: "file",
    ...readMediaSource(toStandardAddress(address, path), path),
    path,
    ...(name === undefined ? {} : { name }),
  };
}
