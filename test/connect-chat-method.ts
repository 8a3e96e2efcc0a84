import { create, createFileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, file_google_protobuf_struct } from "@bufbuild/protobuf/wkt";

/**
 * The method ChatService/Chat with Struct as request and response, for an independent Connect implementation: a
 * Struct's JSON is any JSON object, so it can parse every envelope and the end of the stream.
 */
export function chatMethod() {
  const struct = ".google.protobuf.Struct";
  const file = create(FileDescriptorProtoSchema, {
    name: "kimi/gateway/chat/v1/chat.proto",
    package: "kimi.gateway.chat.v1",
    syntax: "proto3",
    dependency: ["google/protobuf/struct.proto"],
    service: [
      {
        name: "ChatService",
        method: [{ name: "Chat", inputType: struct, outputType: struct, serverStreaming: true }],
      },
    ],
  });
  const registry = createFileRegistry(file, () => file_google_protobuf_struct);
  const method = registry.getService("kimi.gateway.chat.v1.ChatService")?.method.chat;
  if (method?.methodKind !== "server_streaming") throw new Error("Chat is a server stream");
  return { ...method, methodKind: method.methodKind };
}
