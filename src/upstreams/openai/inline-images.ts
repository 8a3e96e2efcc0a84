import { GatewayError } from "../../core/errors.js";
import type { FetchedPicture, FetchPicture, Message, UpstreamRequest } from "../../core/types.js";
import { asObject, isObject, type JsonObject } from "../../lib/json.js";

/**
 * The request with linked images replaced by their bytes: Moonshot fetches no links (moonshot-platform.md A.10). Throws
 * the errors of `fetchPicture` with the part's path.
 */
export async function inlineLinkedImages(
  request: UpstreamRequest,
  fetchPicture: FetchPicture,
  signal: AbortSignal,
): Promise<UpstreamRequest> {
  const { originalRequest } = request;
  const fetchAt = (url: string, path: string) => fetchOrReject(fetchPicture(url, signal), path);
  if (!originalRequest) {
    return { ...request, messages: await mapAsync(request.messages, (each) => inlineMessage(each, fetchAt)) };
  }
  const { body } = originalRequest;
  const messages = await inlineJsonMessages(body.messages, fetchAt);
  return { ...request, originalRequest: { ...originalRequest, body: { ...body, messages } } };
}

type FetchAt = (url: string, path: string) => Promise<FetchedPicture>;

async function inlineMessage(message: Message, fetchAt: FetchAt): Promise<Message> {
  const content = await mapAsync(message.content, async (part) => {
    if (part.type !== "image" || part.source.kind !== "link") return part;
    const { mediaType, base64 } = await fetchAt(part.source.url, part.path);
    return { ...part, mediaType, source: { kind: "bytes" as const, base64 } };
  });
  return { ...message, content };
}

async function inlineJsonMessages(messages: unknown, fetchAt: FetchAt): Promise<unknown> {
  if (!Array.isArray(messages)) return messages;
  return mapAsync(messages, async (message: unknown, index) => {
    if (!isObject(message) || !Array.isArray(message.content)) return message;
    const content = await mapAsync(message.content, async (part: unknown, partIndex) => {
      const path = `messages[${index}].content[${partIndex}].image_url`;
      return isObject(part) ? inlineJsonPart(part, path, fetchAt) : part;
    });
    return { ...message, content };
  });
}

async function inlineJsonPart(part: JsonObject, path: string, fetchAt: FetchAt): Promise<JsonObject> {
  const url = asObject(part.image_url)?.url ?? part.image_url;
  if (typeof url !== "string" || !/^https?:/i.test(url)) return part;
  const { mediaType, base64 } = await fetchAt(url, path);
  return {
    ...part,
    image_url: { ...asObject(part.image_url), url: `data:${mediaType};base64,${base64}` },
  };
}

async function fetchOrReject(fetched: Promise<FetchedPicture>, path: string): Promise<FetchedPicture> {
  try {
    return await fetched;
  } catch (error) {
    if (!(error instanceof GatewayError) || error.status !== 400) throw error;
    throw new GatewayError(error.code, `${path}: ${error.message}`, { param: path, cause: error });
  }
}

/** One after the other, so that no more than one picture is fetched at a time. */
async function mapAsync<T, U>(
  items: readonly T[],
  map: (item: T, index: number) => Promise<U>,
): Promise<U[]> {
  const mapped: U[] = [];
  for (const [index, item] of items.entries()) mapped.push(await map(item, index));
  return mapped;
}
