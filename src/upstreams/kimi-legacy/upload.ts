import { setTimeout } from "node:timers/promises";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { FileContent } from "../../core/types.js";
import { asText, type JsonObject, parseObject } from "../../lib/json.js";
import type { ChunkSink } from "../http/response-stream.js";
import { SseDecoder } from "../http/sse-decoder.js";
import type { LegacyClient } from "./client.js";

/**
 * Uploads a file and waits until Kimi has parsed it (kimi-web.md §1.7). Resolves to Kimi's file id. Throws
 * `file_rejected` if Kimi cannot parse the file, and `timeout` after `limits.fileParse`.
 */
export async function uploadFile(
  client: LegacyClient,
  file: FileContent,
  token: string,
  signal: AbortSignal,
): Promise<string> {
  const { name, mediaType } = file;
  const type = mediaType.startsWith("image/") ? "image" : "file";
  const storage = await client.post("/api/pre-sign-url", { action: type, name }, token, signal);
  await client.put(asText(storage.url) ?? "", file, signal);
  const parseSignal = AbortSignal.any([signal, AbortSignal.timeout(limits.fileParse)]);
  const registration =
    type === "image"
      ? { type, file_id: asText(storage.file_id) ?? "", name }
      : { type, name, object_name: asText(storage.object_name) ?? "" };
  const { id, status } = await registerFile(client, registration, token, parseSignal);
  if (status === "parsed") return id;
  const finalStatus = await waitUntilParsed(client, id, token, parseSignal);
  if (finalStatus === "parsed") return id;
  throw new GatewayError("file_rejected", `Kimi cannot read the file “${name}”.`, {
    upstreamCode: finalStatus ?? "unknown",
  });
}

/** Registers the uploaded file. Polls until Kimi has found it in its storage. */
async function registerFile(client: LegacyClient, body: JsonObject, token: string, signal: AbortSignal) {
  for (;;) {
    const file = await client.post("/api/file", body, token, signal);
    const [id, status] = [asText(file.id), asText(file.status)];
    if (!id) throw new GatewayError("upstream_protocol", "Kimi answered an upload without a file id.");
    if (status === "initialized" || status === "parsed") return { id, status };
    await setTimeout(limits.fileParsePoll, undefined, { signal }).catch(() => throwAbortReason(signal));
  }
}

/** Waits for Kimi to parse the file. Resolves to the last status, which is `parsed` on success. */
async function waitUntilParsed(client: LegacyClient, id: string, token: string, signal: AbortSignal) {
  const stream = await client.openStream("/api/file/parse_process", { ids: [id] }, token, signal);
  const statusSink = new ParseStatusSink();
  try {
    await stream.pipeTo(statusSink);
    return statusSink.lastStatus;
  } finally {
    stream.close(statusSink.isDone);
  }
}

class ParseStatusSink implements ChunkSink {
  readonly #decoder = new SseDecoder(limits.sseEventData, "Kimi");
  lastStatus: string | undefined;

  get isDone(): boolean {
    return this.lastStatus === "parsed";
  }

  onChunks(chunks: readonly Buffer[]): undefined {
    for (const chunk of chunks) {
      this.#decoder.push(chunk);
      for (let data = this.#decoder.next(); data !== undefined; data = this.#decoder.next())
        this.lastStatus = asText(parseObject(data)?.status) ?? this.lastStatus;
    }
  }
}

/** Throws the signal's reason if it is a GatewayError, such as a client's disconnect; otherwise `timeout`. */
function throwAbortReason({ reason }: AbortSignal): never {
  if (reason instanceof GatewayError) throw reason;
  throw new GatewayError("timeout", "Kimi takes too long to read this file.");
}
