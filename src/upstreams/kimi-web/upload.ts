import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { FileContent } from "../../core/types.js";
import { abortableSleep } from "../../lib/abortable.js";
import { asObject, asText, objectsIn } from "../../lib/json.js";
import type { KimiClient } from "./client.js";

const progressMethod = "kimi.gateway.file.v1.FileService/GetFileParseProgress";

/** `parseTimeout`: milliseconds that Kimi may take to parse the file. */
type UploadOptions = { token: string; parseTimeout: number; signal: AbortSignal };

/**
 * Uploads a file and waits until Kimi has parsed it (kimi-web.md §2.8). Resolves to Kimi's file id. Throws
 * `file_rejected` if Kimi refuses or cannot parse the file, and `timeout` after `parseTimeout`.
 */
export async function uploadFile(
  client: KimiClient,
  file: FileContent,
  { token, parseTimeout, signal }: UploadOptions,
): Promise<string> {
  const response = await client.upload(file, token, signal).catch((error: unknown) => {
    throw toFileRejected(error);
  });
  const uploaded = asObject(response.file);
  const id = asText(uploaded?.id);
  if (!id) throw new GatewayError("upstream_protocol", "Kimi answered an upload without a file id.");
  // An image with a thumbnail can be used at once.
  if (asObject(asObject(uploaded?.parseResult)?.thumbnail)) return id;
  const deadline = Date.now() + parseTimeout;
  for (;;) {
    const progressResponse = await client.callFiles(progressMethod, { file_ids: [id] }, token, signal);
    const progress = objectsIn(progressResponse.progresses).find(({ fileId }) => fileId === id);
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
    if (Date.now() > deadline)
      throw new GatewayError("timeout", `Kimi takes too long to read the file “${file.name}”.`);
    await abortableSleep(limits.fileParsePoll, signal);
  }
}

/** Only the file quota is used up, so the account can still chat: `file_rejected` in place of `quota_exceeded`. */
function toFileRejected(error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.code !== "quota_exceeded") return error;
  return new GatewayError(
    "file_rejected",
    "This Kimi account has no room for more files. Delete some on Kimi's site, or upgrade there.",
    { cause: error, ...(error.upstreamCode === undefined ? {} : { upstreamCode: error.upstreamCode }) },
  );
}
