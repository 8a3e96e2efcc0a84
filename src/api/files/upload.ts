import type { FastifyRequest } from "fastify";
import type { ChatService } from "../../chat/chat-service.js";
import { GatewayError } from "../../core/errors.js";

type UploadedFiles = ChatService["files"];
type ReceivedFile = Awaited<ReturnType<UploadedFiles["receive"]>>;

const defaultPurpose = "user_data";

/** Fields of OpenAI's API that are ignored: files stay until they are deleted. */
const unsupportedField = /^expires_after(\[\w+\])?$/;

/**
 * Receives an upload form, its parts in any order (clients.md §7 row 54). The file is streamed to disk. Resolves to the
 * stored file and the names of ignored fields; on failure nothing is left on disk. Throws `invalid_request` or
 * `file_rejected`, or the reason of `stopSignal`.
 */
export async function receiveUpload(request: FastifyRequest, files: UploadedFiles, owner: string) {
  if (!request.isMultipart())
    throw invalid("file", "expected a form (multipart/form-data) with a part “file”");
  if (Number(request.headers["content-length"] ?? 0) > files.maxBytes + formOverhead)
    throw files.tooLargeError();
  const form = new UploadForm();
  const limits = { files: 2, fields: 20, fieldSize: 1_000, fileSize: files.maxBytes + 1 };
  try {
    for await (const part of request.parts({ limits })) {
      if (part.type === "field") form.addField(part.fieldname, String(part.value));
      else form.addFile(part.fieldname, part, await files.receive(part.file, request.stopSignal));
    }
    const { received, metadata } = form.complete();
    return { file: await files.save(owner, received, metadata), ignored: [...form.ignored] };
  } catch (error) {
    for (const received of form.received) await files.discard(received);
    throw request.stopSignal.aborted ? request.stopSignal.reason : toFormError(error);
  }
}

/** Bytes that a form may have besides the file's content. */
export const formOverhead = 65_536;

/** The parts of an upload form received so far. Throws `invalid_request` for a part that is unknown or invalid. */
class UploadForm {
  readonly received: ReceivedFile[] = [];
  readonly ignored = new Set<string>();
  #purpose = defaultPurpose;
  #name = "";
  #mediaType = "";

  addField(name: string, value: string): void {
    if (name === "purpose") {
      if (!/^[\w.-]{1,64}$/.test(value)) throw invalid("purpose", "expected a word such as user_data");
      this.#purpose = value;
    } else if (unsupportedField.test(name)) this.ignored.add("expires_after");
    else throw invalid("form", "expected the parts “file” and “purpose” and no other");
  }

  addFile(field: string, part: { filename: string; mimetype: string }, received: ReceivedFile): void {
    this.received.push(received);
    if (field !== "file" || this.received.length > 1)
      throw invalid("file", "expected one file, as the part “file”");
    this.#name = part.filename;
    this.#mediaType = part.mimetype;
  }

  complete() {
    const [received] = this.received;
    if (!received) throw invalid("file", "this part is required");
    return { received, metadata: { name: this.#name, mediaType: this.#mediaType, purpose: this.#purpose } };
  }
}

/** Errors of the multipart parser become `invalid_request`; GatewayErrors and disk errors stay. */
function toFormError(error: unknown): unknown {
  if (error instanceof GatewayError || (error instanceof Error && "errno" in error)) return error;
  return new GatewayError(
    "invalid_request",
    "The form could not be read: it is malformed or ends too early.",
  );
}

function invalid(param: string, expectation: string): GatewayError {
  return new GatewayError("invalid_request", `${param}: ${expectation}.`, { param });
}
