import createClient from "openapi-fetch";
import { ApiError, readError } from "./api-error.js";
import type { paths } from "./schema.js";

/** Where the API is: beside the page, which a proxy may serve below a path prefix. Ends with a slash. */
export const serverUrl = new URL(".", document.baseURI).href;

/** The base URL that clients of OpenAI's API are given. */
export const apiUrl = `${serverUrl}v1`;

/** The routes of the OpenAPI document. The session is in a cookie, which the browser sends along. */
export const api = createClient<paths>({ baseUrl: serverUrl, credentials: "same-origin" });

/**
 * The answer of a route. Throws ApiError, also where the server cannot be reached. A session that has ended is
 * announced to `onSignedOut`.
 */
export async function answerOf<Data>(
  call: Promise<{ data?: Data; error?: unknown; response: Response }>,
): Promise<Data> {
  const { data, error, response } = await call.catch(rejectUnreachable);
  if (data !== undefined && response.ok) return data;
  throw noteSignedOut(readError(response, error));
}

/** A request whose answer is read by the caller, such as a stream. Throws ApiError for any status but 2xx. */
export async function send(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(new URL(path, serverUrl), init).catch(rejectUnreachable);
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => undefined);
  throw noteSignedOut(readError(response, body));
}

function rejectUnreachable(error: unknown): never {
  if (error instanceof DOMException && error.name === "AbortError") throw error;
  throw new ApiError({ code: "unreachable", message: "Moonbridge does not answer at this address." });
}

const signedOutListeners = new Set<() => void>();

/** Calls `listener` when a request was refused because there is no session; returns how to stop that. */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

function noteSignedOut(error: ApiError): ApiError {
  if (error.code === "invalid_api_key") for (const listener of signedOutListeners) listener();
  return error;
}
