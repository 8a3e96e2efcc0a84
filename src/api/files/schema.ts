import { Type } from "@sinclair/typebox";

/** Query parameters of `GET /v1/files`, as OpenAI's SDKs send them (clients.md §7 row 54). */
export const FileListQuery = Type.Object({
  limit: Type.Optional(Type.String({ pattern: "^\\d{1,6}$", description: "how many, from 1 to 10000" })),
  after: Type.Optional(Type.String({ maxLength: 128, description: "the id of the file to begin after" })),
  order: Type.Optional(
    Type.Union([Type.Literal("asc"), Type.Literal("desc")], { description: "asc or desc" }),
  ),
  purpose: Type.Optional(Type.String({ maxLength: 64 })),
});

/** Path parameters of `/v1/files/{id}`. */
export const FileIdParams = Type.Object({ id: Type.String({ examples: ["file-…"] }) });
