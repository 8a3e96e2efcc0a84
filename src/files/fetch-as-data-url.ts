import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { LinkFetcher } from "./link-fetcher.js";

/**
 * Downloads a link as a data URL, for services that fetch no links. Throws the fetcher's errors, and `file_rejected`
 * for a file that is too large for a request.
 */
export async function fetchAsDataUrl(
  fetcher: LinkFetcher,
  url: string,
  signal: AbortSignal,
): Promise<string> {
  const file = await fetcher.open(url, signal);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of file.body) {
    size += chunk.length;
    if (size > limits.inlinedFile) {
      const megabytes = limits.inlinedFile / 1_048_576;
      throw new GatewayError("file_rejected", `What the link leads to is larger than ${megabytes} MB.`);
    }
    chunks.push(chunk);
  }
  return `data:${file.mediaType};base64,${Buffer.concat(chunks).toString("base64")}`;
}
