import type { HttpResponse } from "./client.js";
import { parseMediaType } from "./client.js";

/** Whether the response is a web page, as firewalls and sign-in pages of networks send it. */
export function isWebPageResponse({ headers, body }: HttpResponse): boolean {
  return parseMediaType(headers["content-type"]) === "text/html" || /^\s*<(!doctype|html)\b/i.test(body);
}

/** What came in place of a service's own answer, to begin a sentence. Quotes nothing of the body. */
export function describeForeignAnswer(response: HttpResponse): string {
  const { status, headers, body } = response;
  if (isWebPageResponse(response)) return `A web page (HTTP ${status})`;
  if (body.trim() === "") return `An empty answer (HTTP ${status})`;
  return `Something else (HTTP ${status}, “${parseMediaType(headers["content-type"])}”)`;
}
