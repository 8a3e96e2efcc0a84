import { GatewayError } from "../../core/errors.js";
import { asObject, isObject, type JsonObject } from "../../lib/json.js";

/** Fetches a picture from the web, and from nowhere else, as a data URL. Throws GatewayError. */
export type Inline = (url: string, signal: AbortSignal) => Promise<string>;

/** The messages of a request with linked pictures as data URLs: Moonshot fetches none (moonshot-platform.md A.10). */
export async function withInlinePictures(
  messages: unknown,
  inline: Inline | undefined,
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
    for (const [place, part] of message.content.entries()) {
      const at = `messages[${index}].content[${place}].image_url`;
      content.push(isObject(part) ? await inlinePart(part, at, inline, signal) : part);
    }
    inlined.push({ ...message, content });
  }
  return inlined;
}

async function inlinePart(
  part: JsonObject,
  at: string,
  inline: Inline | undefined,
  signal: AbortSignal,
): Promise<JsonObject> {
  const url = asObject(part.image_url)?.url ?? part.image_url;
  if (typeof url !== "string" || !/^https?:/i.test(url)) return part;
  if (!inline) throw refused(at, "links to pictures are not fetched; send the picture itself as a data URL.");
  const data = await inline(url, signal).catch((error: unknown) => {
    if (error instanceof GatewayError && error.status === 400) throw refused(at, error.message, error);
    throw error;
  });
  return { ...part, image_url: { ...asObject(part.image_url), url: data } };
}

function refused(at: string, why: string, cause?: GatewayError): GatewayError {
  return new GatewayError(cause?.code ?? "invalid_request", `${at}: ${why}`, { param: at, cause });
}
