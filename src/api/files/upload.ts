import type { FastifyRequest } from "fastify";
import type { Chat } from "../../chat/chat-service.js";
import { GatewayError } from "../../core/errors.js";

type Files = Chat["files"];
type Received = Awaited<ReturnType<Files["receive"]>>;

/** What a file is for where the client does not say. */
const defaultPurpose = "user_data";

/** Parts that OpenAI's API knows and this one does not honour: files stay until they are deleted. */
const unheard = /^expires_after(\[\w+\])?$/;

/**
 * Reads the form of an upload as it comes, its parts in any order (clients.md row 54): the file goes to disk, never
 * whole to memory. Resolves to the file, and to the parts that were not honoured. Whatever fails, nothing is left.
 */
export async function receiveUpload(request: FastifyRequest, files: Files, owner: string) {
  if (!request.isMultipart())
    throw invalid("file", "expected a form (multipart/form-data) with a part “file”");
  if (Number(request.headers["content-length"] ?? 0) > files.maxBytes + formOverhead) throw files.tooLarge();
  const form = new Form();
  const limits = { files: 2, fields: 20, fieldSize: 1_000, fileSize: files.maxBytes + 1 };
  try {
    for await (const part of request.parts({ limits })) {
      if (part.type === "field") form.field(part.fieldname, String(part.value));
      else form.file(part.fieldname, part, await files.receive(part.file, request.stop));
    }
    const { received, label } = form.complete();
    return { file: await files.keep(owner, received, label), ignored: [...form.ignored] };
  } catch (error) {
    for (const received of form.received) await files.discard(received);
    throw request.stop.aborted ? request.stop.reason : asRefusal(error);
  }
}

/** What a form may hold beside the file's bytes. */
export const formOverhead = 65_536;

/** What has been read of a form. */
class Form {
  readonly received: Received[] = [];
  readonly ignored = new Set<string>();
  #purpose = defaultPurpose;
  #name = "";
  #mediaType = "";

  field(name: string, value: string): void {
    if (name === "purpose") {
      if (!/^[\w.-]{1,64}$/.test(value)) throw invalid("purpose", "expected a word such as user_data");
      this.#purpose = value;
    } else if (unheard.test(name)) this.ignored.add("expires_after");
    else throw invalid("form", "expected the parts “file” and “purpose” and no other");
  }

  file(field: string, part: { filename: string; mimetype: string }, received: Received): void {
    this.received.push(received);
    if (field !== "file" || this.received.length > 1)
      throw invalid("file", "expected one file, as the part “file”");
    this.#name = part.filename;
    this.#mediaType = part.mimetype;
  }

  complete() {
    const [received] = this.received;
    if (!received) throw invalid("file", "this part is required");
    return { received, label: { name: this.#name, mediaType: this.#mediaType, purpose: this.#purpose } };
  }
}

/** The form reader's own errors are about the form; errors of the disk are not. */
function asRefusal(error: unknown): unknown {
  if (error instanceof GatewayError || (error instanceof Error && "errno" in error)) return error;
  return new GatewayError(
    "invalid_request",
    "The form could not be read: it is malformed or ends too early.",
  );
}

function invalid(param: string, expectation: string): GatewayError {
  return new GatewayError("invalid_request", `${param}: ${expectation}.`, { param });
}
