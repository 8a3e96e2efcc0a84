import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { LinkFetcher } from "./link-fetcher.js";

/**
 * What is behind a link as a data URL, for services that fetch nothing themselves. Throws what the fetcher throws, and
 * `file_rejected` for more than a request can hold.
 */
export async function fetchAsDataUrl(links: LinkFetcher, url: string, signal: AbortSignal): Promise<string> {
  const link = await links.open(url, signal);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of link.body) {
    size += chunk.length;
    if (size > limits.inlinedFile) {
      const megabytes = limits.inlinedFile / 1_048_576;
      throw new GatewayError("file_rejected", `What the link leads to is larger than ${megabytes} MB.`);
    }
    chunks.push(chunk);
  }
  return `data:${link.mediaType};base64,${Buffer.concat(chunks).toString("base64")}`;
}
