import { setTimeout } from "node:timers/promises";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { FileContent } from "../../core/types.js";
import { asObject, asText, objectsIn } from "../../lib/json.js";
import type { KimiClient } from "./client.js";

const progressMethod = "kimi.gateway.file.v1.FileService/GetFileParseProgress";

/** `patience`: milliseconds that Kimi may take to read the file. */
type UploadOptions = { token: string; patience: number; signal: AbortSignal };

/**
 * Uploads a file and waits until Kimi has read it (kimi-web.md §2.8). Resolves to Kimi's id of it. Throws
 * `file_rejected` where Kimi does not take or cannot read it and `timeout` where that takes too long.
 */
export async function upload(
  client: KimiClient,
  file: FileContent,
  { token, patience, signal }: UploadOptions,
): Promise<string> {
  const answer = await client.upload(file, token, signal).catch((error: unknown) => {
    throw noRoom(error);
  });
  const uploaded = asObject(answer.file);
  const id = asText(uploaded?.id);
  if (!id) throw new GatewayError("upstream_protocol", "Kimi answered an upload without a file id.");
  // A picture with a thumbnail can be used at once.
  if (asObject(asObject(uploaded?.parseResult)?.thumbnail)) return id;
  const giveUpAt = Date.now() + patience;
  for (;;) {
    const answer = await client.callFiles(progressMethod, { file_ids: [id] }, token, signal);
    const progress = objectsIn(answer.progresses).find(({ fileId }) => fileId === id);
    const status = (asText(progress?.status) ?? "").replace(/^PROCESS_STATUS_/, "");
    if (status === "SUCCESS") return id;
    if (status === "FAILED") {
      throw new GatewayError(
        "file_rejected",
        `Kimi cannot read the file “${file.name}”. Send another format.`,
        {
          upstreamCode: asText(progress?.failReason) ?? "parse_failed",
        },
      );
    }
    if (Date.now() > giveUpAt)
      throw new GatewayError("timeout", `Kimi takes too long to read the file “${file.name}”.`);
    // A client that leaves is a reason of ours, not an AbortError.
    await setTimeout(limits.fileParsePoll, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Chatting goes on where only the room for files is used up. */
function noRoom(error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.code !== "quota_exceeded") return error;
  return new GatewayError(
    "file_rejected",
    "This Kimi account has no room for more files. Delete some on Kimi's site, or upgrade there.",
    { cause: error, ...(error.upstreamCode === undefined ? {} : { upstreamCode: error.upstreamCode }) },
  );
}
