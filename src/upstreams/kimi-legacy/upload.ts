import { setTimeout } from "node:timers/promises";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { FileContent } from "../../core/types.js";
import { asText, type JsonObject, parseObject } from "../../lib/json.js";
import type { StreamReader } from "../http/response-stream.js";
import { EventDecoder } from "../http/sse-decoder.js";
import type { LegacyClient } from "./client.js";

/**
 * Uploads a file and waits until Kimi has read it (kimi-web.md §1.7). Resolves to Kimi's id of it. Throws
 * `file_rejected` where Kimi cannot read it and `timeout` where that takes too long.
 */
export async function upload(
  client: LegacyClient,
  file: FileContent,
  token: string,
  signal: AbortSignal,
): Promise<string> {
  const { name, mediaType } = file;
  const type = mediaType.startsWith("image/") ? "image" : "file";
  const place = await client.post("/api/pre-sign-url", { action: type, name }, token, signal);
  await client.put(asText(place.url) ?? "", file, signal);
  const patience = AbortSignal.any([signal, AbortSignal.timeout(limits.fileParse)]);
  const named =
    type === "image"
      ? { type, file_id: asText(place.file_id) ?? "", name }
      : { type, name, object_name: asText(place.object_name) ?? "" };
  const { id, status } = await arrived(client, named, token, patience);
  if (status === "parsed") return id;
  const outcome = await parsed(client, id, token, patience);
  if (outcome === "parsed") return id;
  throw new GatewayError("file_rejected", `Kimi cannot read the file “${name}”.`, {
    upstreamCode: outcome ?? "unknown",
  });
}

/** Asks until Kimi has found the file in its storage. */
async function arrived(client: LegacyClient, body: JsonObject, token: string, signal: AbortSignal) {
  for (;;) {
    const file = await client.post("/api/file", body, token, signal);
    const [id, status] = [asText(file.id), asText(file.status)];
    if (!id) throw new GatewayError("upstream_protocol", "Kimi answered an upload without a file id.");
    if (status === "initialized" || status === "parsed") return { id, status };
    await setTimeout(limits.fileParsePoll, undefined, { signal }).catch(() => outOfPatience(signal));
  }
}

/** The last status that Kimi tells while it reads the file; it is read where that is `parsed`. */
async function parsed(client: LegacyClient, id: string, token: string, signal: AbortSignal) {
  const stream = await client.stream("/api/file/parse_process", { ids: [id] }, token, signal);
  const states = new ParseStates();
  try {
    await stream.read(states);
    return states.last;
  } finally {
    stream.close(states.isOver);
  }
}

class ParseStates implements StreamReader {
  readonly #decoder = new EventDecoder(limits.eventData, "Kimi");
  last: string | undefined;

  get isOver(): boolean {
    return this.last === "parsed";
  }

  hear(chunks: readonly Buffer[]): undefined {
    for (const chunk of chunks) {
      this.#decoder.push(chunk);
      for (let data = this.#decoder.next(); data !== undefined; data = this.#decoder.next())
        this.last = asText(parseObject(data)?.status) ?? this.last;
    }
  }
}

/** A client that leaves is a reason of ours; the time that is over becomes one. */
function outOfPatience({ reason }: AbortSignal): never {
  if (reason instanceof GatewayError) throw reason;
  throw new GatewayError("timeout", "Kimi takes too long to read this file.");
}
