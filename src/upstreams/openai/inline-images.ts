import { GatewayError } from "../../core/errors.js";
import { asObject, isObject, type JsonObject } from "../../lib/json.js";

/** Fetches an image from the public web only, as a data URL. Throws GatewayError. */
export type FetchImageAsDataUrl = (url: string, signal: AbortSignal) => Promise<string>;

/** Replaces linked images in messages by data URLs: Moonshot fetches no links (moonshot-platform.md A.10). */
export async function inlineLinkedImages(
  messages: unknown,
  fetchImage: FetchImageAsDataUrl | undefined,
  signal: AbortSignal,
): Promise<unknown> {
  if (!Array.isArray(messages)) return messages;
  const inlined: unknown[] = [];
  for (const [index, message] of messages.entries()) {
    if (!isObject(message) || !Array.isArray(message.content)) {
      inlined.push(message);
      continue;
    }
    const content: unknown[] = [];
    for (const [partIndex, part] of message.content.entries()) {
      const path = `messages[${index}].content[${partIndex}].image_url`;
      content.push(isObject(part) ? await inlinePart(part, path, fetchImage, signal) : part);
    }
    inlined.push({ ...message, content });
  }
  return inlined;
}

async function inlinePart(
  part: JsonObject,
  path: string,
  fetchImage: FetchImageAsDataUrl | undefined,
  signal: AbortSignal,
): Promise<JsonObject> {
  const url = asObject(part.image_url)?.url ?? part.image_url;
  if (typeof url !== "string" || !/^https?:/i.test(url)) return part;
  if (!fetchImage)
    throw rejectedImageError(
      path,
      "links to pictures are not fetched; send the picture itself as a data URL.",
    );
  const dataUrl = await fetchImage(url, signal).catch((error: unknown) => {
    if (error instanceof GatewayError && error.status === 400)
      throw rejectedImageError(path, error.message, error);
    throw error;
  });
  return { ...part, image_url: { ...asObject(part.image_url), url: dataUrl } };
}

function rejectedImageError(path: string, reason: string, cause?: GatewayError): GatewayError {
  return new GatewayError(cause?.code ?? "invalid_request", `${path}: ${reason}`, { param: path, cause });
}
