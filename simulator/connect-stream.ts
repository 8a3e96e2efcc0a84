import { parseRequestFrame } from "./chat-request.js";
import { endOfStreamFlag } from "./envelope.js";
import { ApiError, errorJson } from "./errors.js";
import type { HttpCall } from "./http-call.js";
import type { JsonObject } from "./json.js";
import { ResponseWriter } from "./response-writer.js";
import type { SimulatorState } from "./state.js";
import type { Account } from "./tokens.js";

/** The content type of a streaming method, in both directions (kimi-web.md §2.1). */
export const streamContentType = "application/connect+json";
const maxRequestBytes = 67_108_864;

/**
 * Handles a call of a streaming method: one request frame, which `respond` answers with a stream of frames. An ApiError is
 * sent as the trailer of a response with status 200 (kimi-web.md §5.5).
 */
export async function handleStream(
  state: SimulatorState,
  call: HttpCall,
  respond: (body: JsonObject, account: Account) => Promise<void>,
): Promise<void> {
  if (!isConnectJson(call)) return refuseContentType(call);
  state.openStreams.add(call);
  call.response.once("close", () => state.openStreams.delete(call));
  try {
    const bytes = await call.readBody(maxRequestBytes);
    const body = parseRequestFrame(bytes);
    state.callLog.recordBody(call.logEntry, body, bytes.length);
    await respond(body, state.tokens.authenticate(call.bearerToken));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    await sendErrorTrailer(call, error);
  }
}

function isConnectJson({ request }: HttpCall): boolean {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  return type.trim().toLowerCase() === streamContentType;
}

/** Connect servers refuse another content type with 415, before they read the body. */
function refuseContentType(call: HttpCall): void {
  call.request.resume();
  call.response.writeHead(415, { "accept-post": streamContentType }).end();
}

async function sendErrorTrailer(call: HttpCall, error: ApiError): Promise<void> {
  const responseWriter = new ResponseWriter(call, {});
  responseWriter.open(streamContentType);
  responseWriter.writeFrame(JSON.stringify({ error: errorJson(error, call.language) }), endOfStreamFlag);
  await responseWriter.end();
}
