import type { Readable } from "node:stream";
import busboy, { type Busboy, type FileInfo } from "busboy";
import type { FastifyRequest } from "fastify";
import type { ChatService } from "../../chat/chat-service.js";
import { GatewayError } from "../../core/errors.js";
import { invalidParameter } from "../invalid-parameter.js";

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
  if (!isForm(request.headers["content-type"]))
    throw invalidParameter("file", "expected a form (multipart/form-data) with a part “file”");
  if (Number(request.headers["content-length"] ?? 0) > files.maxBytes + formOverhead)
    throw files.tooLargeError();
  const form = new UploadForm();
  try {
    await readForm(request, form, files);
    const { received, metadata } = form.complete();
    return { file: await files.save(owner, received, metadata), ignored: [...form.ignored] };
  } catch (error) {
    for (const received of form.received) await files.discard(received);
    throw request.stopSignal.aborted ? request.stopSignal.reason : toFormError(error);
  }
}

export function isForm(contentType: string | undefined): boolean {
  return /^multipart\/form-data\b/i.test(contentType ?? "");
}

/** Adds all parts of the request's body to the form. Rejects as soon as one of them, or the body itself, is invalid. */
async function readForm(request: FastifyRequest, form: UploadForm, files: UploadedFiles): Promise<void> {
  const { raw, stopSignal } = request;
  const headers = { "content-type": request.headers["content-type"] ?? "" };
  const limits = { files: 2, fields: 20, fieldSize: 1_000, parts: 22, fileSize: files.maxBytes + 1 };
  const parser = busboy({ headers, limits, defParamCharset: "utf8" });
  const receiving: Promise<void>[] = [];
  const receive = async (field: string, stream: Readable, info: FileInfo) =>
    form.addFile(field, info, await files.receive(stream, stopSignal));
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown) => reject(error);
      parser.on("field", (name, value, { valueTruncated }) => {
        try {
          form.addField(name, value, valueTruncated);
        } catch (error) {
          fail(error);
        }
      });
      parser.on("file", (name, stream, info) => {
        // An error before the file is read is thrown when it is.
        stream.on("error", () => {});
        const received = receive(name, stream, info);
        received.catch(fail);
        receiving.push(received);
      });
      for (const limit of ["partsLimit", "filesLimit", "fieldsLimit"] as const)
        parser.on(limit, () => fail(tooManyPartsError()));
      parser.on("close", resolve).on("error", fail);
      raw.on("close", () => {
        if (!raw.complete) fail(new Error("The request ended early."));
      });
      raw.pipe(parser);
    });
    await Promise.all(receiving);
  } catch (error) {
    stopParsing(request, parser);
    await Promise.allSettled(receiving);
    throw error;
  }
}

/** The rest of the body is dropped, and files that are being received end with an error. */
function stopParsing({ raw }: FastifyRequest, parser: Busboy): void {
  raw.unpipe(parser);
  parser.on("error", () => {}).destroy();
  raw.resume();
}

/** Bytes that a form may have besides the file's content. */
const formOverhead = 65_536;

/** The parts of an upload form received so far. Throws `invalid_request` for a part that is unknown or invalid. */
class UploadForm {
  readonly received: ReceivedFile[] = [];
  readonly ignored = new Set<string>();
  #purpose = defaultPurpose;
  #name = "";
  #mediaType = "";

  addField(name: string, value: string, isTruncated: boolean): void {
    if (name === "purpose") {
      if (isTruncated || !/^[\w.-]{1,64}$/.test(value))
        throw invalidParameter("purpose", "expected a word such as user_data");
      this.#purpose = value;
    } else if (unsupportedField.test(name)) this.ignored.add("expires_after");
    else throw tooManyPartsError();
  }

  addFile(field: string, { filename, mimeType }: Partial<FileInfo>, received: ReceivedFile): void {
    this.received.push(received);
    if (field !== "file" || this.received.length > 1)
      throw invalidParameter("file", "expected one file, as the part “file”");
    // A part without a name is a file if its type is application/octet-stream.
    this.#name = filename ?? "";
    this.#mediaType = mimeType ?? "";
  }

  complete() {
    const [received] = this.received;
    if (!received) throw invalidParameter("file", "this part is required");
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

function tooManyPartsError(): GatewayError {
  return invalidParameter("form", "expected the parts “file” and “purpose” and no other");
}
