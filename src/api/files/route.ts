import { Readable } from "node:stream";
import multipart from "@fastify/multipart";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { Chat } from "../../chat/chat-service.js";
import { GatewayError } from "../../core/errors.js";
import { FileId, FileList } from "./schema.js";
import { formOverhead, receiveUpload } from "./upload.js";

type StoredFile = Awaited<ReturnType<Chat["files"]["get"]>>;

const mostListed = 10_000;

/** `/v1/files`: upload once, use by id in messages (OpenAI's shapes; clients.md row 54). */
export function files({ files }: Chat): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.removeAllContentTypeParsers();
    await app.register(multipart);
    // What is no form is refused by the route, with a sentence about it.
    app.addContentTypeParser("*", (_request, payload, done) => {
      payload.resume();
      done(null);
    });

    const summary = (text: string) => ({ summary: text, tags: ["files"] });
    const upload = { ...summary("Upload a file"), consumes: ["multipart/form-data"] };
    const bodyLimit = files.maxBytes + formOverhead;
    app.post("/v1/files", { schema: upload, bodyLimit }, async (request, reply) => {
      try {
        const { file, ignored } = await receiveUpload(request, files, request.caller.keyName);
        if (ignored.length > 0) reply.header("x-moonbridge-ignored", ignored.join(", "));
        return describe(file);
      } catch (error) {
        // The rest of what is refused is not worth receiving.
        reply.header("connection", "close");
        throw error;
      }
    });

    const list = { ...summary("Your files"), querystring: FileList };
    app.get("/v1/files", { schema: list }, async (request) => {
      const { limit = String(mostListed), after, order, purpose } = request.query;
      const count = Number(limit);
      if (count < 1 || count > mostListed) {
        throw new GatewayError("invalid_request", `limit: expected a number from 1 to ${mostListed}.`, {
          param: "limit",
        });
      }
      const { files: found, more } = await files.list(request.caller.keyName, {
        limit: count,
        after,
        purpose,
        newestFirst: order !== "asc",
      });
      const data = found.map(describe);
      const ids = data.map(({ id }) => id);
      return { object: "list", data, has_more: more, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null };
    });

    const one = { params: FileId };
    app.get("/v1/files/:id", { schema: { ...summary("One file"), ...one } }, async (request) =>
      describe(await files.get(request.caller.keyName, request.params.id)),
    );

    const content = { ...summary("A file's bytes"), ...one };
    app.get("/v1/files/:id/content", { schema: content }, async (request, reply) => {
      const file = await files.get(request.caller.keyName, request.params.id);
      // Never shown in place: a page among the files must not run as a page of this server.
      return reply
        .type("application/octet-stream")
        .header("content-disposition", `attachment; filename*=UTF-8''${encodeName(file.name)}`)
        .header("content-length", file.size)
        .send(Readable.from(files.read(file), { objectMode: false }));
    });

    app.delete("/v1/files/:id", { schema: { ...summary("Delete a file"), ...one } }, async (request) => {
      const { id } = request.params;
      await files.remove(request.caller.keyName, id);
      return { id, object: "file", deleted: true };
    });
  };
}

function describe({ id, size, createdAt, name, purpose }: StoredFile) {
  return {
    id,
    object: "file",
    bytes: size,
    created_at: Math.floor(createdAt / 1_000),
    filename: name,
    purpose,
    status: "processed",
    status_details: null,
    expires_at: null,
  };
}

/** RFC 5987: what encodeURIComponent leaves and a header may not hold. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
}
