import { Readable } from "node:stream";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { ChatService } from "../../chat/chat-service.js";
import { invalidParameter } from "../invalid-parameter.js";
import { listPage } from "../list-page.js";
import { FileIdParams, FileListQuery } from "./schema.js";
import { isForm, receiveUpload } from "./upload.js";

type FileRecord = Awaited<ReturnType<ChatService["files"]["get"]>>;

const maxListed = 10_000;

/** `/v1/files`: upload once, use by id in messages (OpenAI's shapes; clients.md §7 row 54). */
export function filesRoute({ files }: ChatService): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.removeAllContentTypeParsers();
    // Forms are read by the route, which refuses other content types with a clear message.
    app.addContentTypeParser("*", (request, payload, done) => {
      if (!isForm(request.headers["content-type"])) payload.resume();
      done(null);
    });

    const summary = (text: string) => ({ summary: text, tags: ["files"] });
    const upload = { ...summary("Upload a file"), consumes: ["multipart/form-data"] };
    app.post("/v1/files", { schema: upload }, async (request, reply) => {
      try {
        const { file, ignored } = await receiveUpload(request, files, request.principal.keyName);
        if (ignored.length > 0) reply.header("x-moonbridge-ignored", ignored.join(", "));
        return fileObject(file);
      } catch (error) {
        // Do not receive the rest of a refused upload.
        reply.header("connection", "close");
        throw error;
      }
    });

    const list = { ...summary("Your files"), querystring: FileListQuery };
    app.get("/v1/files", { schema: list }, async (request) => {
      const { limit = String(maxListed), after, order, purpose } = request.query;
      const pageSize = Number(limit);
      if (pageSize < 1 || pageSize > maxListed) {
        throw invalidParameter("limit", `expected a number from 1 to ${maxListed}`);
      }
      const { files: page, hasMore } = await files.list(request.principal.keyName, {
        limit: pageSize,
        after,
        purpose,
        newestFirst: order !== "asc",
      });
      return listPage(page.map(fileObject), hasMore);
    });

    const byId = { params: FileIdParams };
    app.get("/v1/files/:id", { schema: { ...summary("One file"), ...byId } }, async (request) =>
      fileObject(await files.get(request.principal.keyName, request.params.id)),
    );

    const content = { ...summary("A file's bytes"), ...byId };
    app.get("/v1/files/:id/content", { schema: content }, async (request, reply) => {
      const file = await files.get(request.principal.keyName, request.params.id);
      await files.requireBytes(file);
      // Never shown inline: an HTML file must not run as a page of this server.
      return reply
        .type("application/octet-stream")
        .header("content-disposition", `attachment; filename*=UTF-8''${encodeFileName(file.name)}`)
        .header("content-length", file.size)
        .send(Readable.from(files.read(file), { objectMode: false }));
    });

    app.delete("/v1/files/:id", { schema: { ...summary("Delete a file"), ...byId } }, async (request) => {
      const { id } = request.params;
      await files.delete(request.principal.keyName, id);
      return { id, object: "file", deleted: true };
    });
  };
}

function fileObject({ id, size, createdAt, name, purpose }: FileRecord) {
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

/** RFC 5987; also encodes the characters that encodeURIComponent leaves and the header forbids. */
function encodeFileName(name: string): string {
  return encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
}
