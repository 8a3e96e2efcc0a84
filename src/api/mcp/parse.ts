import { GatewayError } from "../../core/errors.js";
import type { ChatRequest, MediaPart, Part, Principal, RequestedFeature } from "../../core/types.js";
import { isWebPage } from "../../files/web-page.js";
import { readMediaSource, toStandardAddress } from "../media-address.js";
import type { AskInput, ReadInput, SearchInput } from "./schema.js";

type RequestContext = Pick<ChatRequest, "principal" | "signal" | "trace">;

/** A request, and what the person should know about how its input was read. */
type ReadRequest = { request: ChatRequest; notes: string[] };

/** Finds out what a link leads to. Throws `link_forbidden`, `link_unreachable`. */
export type LinkInspector = {
  describeLink(
    principal: Pick<Principal, "keyName">,
    url: string,
    signal: AbortSignal,
  ): Promise<{ mediaType: string }>;
};

/** A question that must be answered with a search, and with citations whatever the key's setting is. */
export function parseSearch({ question, model }: SearchInput, context: RequestContext): ChatRequest {
  return {
    ...toRequest([{ type: "text", text: question }], model, context),
    search: true,
    citations: "inline",
    requestedFeatures: [searchFeature("question", true)],
  };
}

export function parseAsk(input: AskInput, context: RequestContext): ChatRequest {
  const { prompt, conversation_id: conversation, search, thinking, model } = input;
  const requestedFeatures: RequestedFeature[] = [];
  if (search) requestedFeatures.push(searchFeature("search", search));
  if (thinking !== undefined)
    requestedFeatures.push({
      parameter: "thinking",
      name: "reasoning_effort",
      value: thinking,
      feature: "thinking",
    });
  if (conversation !== undefined) requestedFeatures.push(conversationFeature(conversation));
  return {
    ...toRequest([{ type: "text", text: prompt }], model, context),
    ...(conversation === undefined ? {} : { conversation }),
    ...(search === undefined ? {} : { search }),
    ...(thinking === undefined ? {} : { thinking: thinking ? ("high" as const) : ("off" as const) }),
    requestedFeatures,
  };
}

/**
 * A document or picture goes along as a file. A page, and a link that only Kimi may be able to open, stays a link for Kimi's
 * search. Throws `invalid_request` and `link_forbidden` with the parameter's name.
 */
export async function parseRead(
  { source: address, question, model }: ReadInput,
  context: RequestContext,
  inspector: LinkInspector,
): Promise<ReadRequest> {
  const { source, mediaType } = readMediaSource(toStandardAddress(address, "source"), "source");
  if (source.kind !== "link") {
    const part = mediaPart(source, mediaType);
    return { request: toRequest([part, { type: "text", text: question }], model, context), notes: [] };
  }
  const { url } = source;
  const link = await describeLink(url, context, inspector);
  if (link.mediaType !== undefined && !isWebPage(link.mediaType, new Uint8Array())) {
    const part = mediaPart(source, link.mediaType);
    return { request: toRequest([part, { type: "text", text: question }], model, context), notes: [] };
  }
  const request: ChatRequest = {
    ...toRequest([{ type: "text", text: `${question}\n\n${url}` }], model, context),
    search: true,
    citations: "inline",
    requestedFeatures: [searchFeature("source", true)],
  };
  return { request, notes: link.note === undefined ? [] : [link.note] };
}

/** Asks a question about a file of the key. */
export function parseReadFile(
  { question, model }: Omit<ReadInput, "source">,
  fileId: string,
  context: RequestContext,
): ChatRequest {
  const part = mediaPart({ kind: "file-id", id: fileId }, undefined);
  return toRequest([part, { type: "text", text: question }], model, context);
}

async function describeLink(
  url: string,
  { principal, signal }: RequestContext,
  inspector: LinkInspector,
): Promise<{ mediaType?: string; note?: string }> {
  try {
    return await inspector.describeLink(principal, url, signal);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    if (error.code === "link_unreachable")
      return { note: `The link was not read here; Kimi may still have opened it. ${error.message}` };
    if (error.code !== "link_forbidden") throw error;
    throw new GatewayError(error.code, `source: ${error.message}`, { param: "source", cause: error });
  }
}

function toRequest(content: Part[], model: string | undefined, context: RequestContext): ChatRequest {
  return {
    model: model ?? "kimi",
    messages: [{ role: "user", content }],
    requestedFeatures: [],
    stream: true,
    usage: "none",
    ...context,
  };
}

function mediaPart(source: MediaPart["source"], mediaType: string | undefined): MediaPart {
  return {
    type: mediaType?.startsWith("image/") ? "image" : "file",
    source,
    ...(mediaType === undefined ? {} : { mediaType }),
    path: "source",
  };
}

/** `isRequired`: without a search the answer would not be what the tool promises. */
function searchFeature(parameter: string, value: true): RequestedFeature {
  return { parameter, name: "web_search_options", value, feature: "search", isRequired: true };
}

function conversationFeature(value: string): RequestedFeature {
  const name = "conversation_id";
  return { parameter: name, name, value, feature: "conversation", isRequired: true };
}
