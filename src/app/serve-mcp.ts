import { serveStdio } from "@modelcontextprotocol/server/stdio";
import type { FastifyBaseLogger } from "fastify";
import { createMcpServer, type LocalFile, type ToolContext } from "../api/mcp/server.js";
import { ConfigError } from "../config/validate.js";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { Principal } from "../core/types.js";
import { AllowedFolders } from "../files/allowed-folders.js";
import type { LocalFileStore } from "../files/local-file-store.js";
import type { App } from "./create-app.js";

/** The program that started this process. The name of an API key has no space, so that none is the same. */
const principal: Principal = { keyName: "mcp stdio", scopes: ["chat"] };

export type McpConnection = {
  /** Stops what is running, and resolves when Kimi was told to. */
  close(): Promise<void>;
};

/**
 * Serves the MCP tools over standard input and output. `folders`: those whose files kimi_read may read. Throws ConfigError for
 * one that is not there.
 */
export async function serveMcp(
  { chat }: App,
  { folders, log }: { folders: readonly string[]; log: FastifyBaseLogger },
): Promise<McpConnection> {
  const allowed = await AllowedFolders.open(folders).catch(() => {
    throw new ConfigError("--folder: there is no such folder.");
  });
  const stopped = new AbortController();
  const running = new Set<Promise<void>>();
  const context: ToolContext = {
    chat,
    principal,
    signal: stopped.signal,
    admit: async () => {},
    startCall: () => {
      let end = () => {};
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      running.add(ended);
      ended.then(() => running.delete(ended));
      return { signal: stopped.signal, end };
    },
    openFile: (path, signal) => receiveFile(allowed, chat.files, path, signal),
    onFailure: (error) => log.info({ failure: error.code }, "a call of an MCP tool failed"),
  };
  const connection = serveStdio(() => createMcpServer(context), { maxSubscriptions: 0 });
  return {
    close: async () => {
      stopped.abort(new GatewayError("cancelled", "The client has closed the connection."));
      await Promise.race([Promise.all(running), afterFlush()]);
      await connection.close();
    },
  };
}

function afterFlush(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, limits.shutdownFlush).unref());
}

/** Takes a file into the store of uploaded files for as long as a call needs it. */
async function receiveFile(
  allowed: AllowedFolders,
  files: LocalFileStore,
  path: string,
  signal: AbortSignal,
): Promise<LocalFile> {
  const file = await allowed.openFile(path);
  try {
    const received = await files.receive(file.bytes, signal);
    const metadata = { name: file.name, mediaType: "", purpose: "user_data" };
    const { id } = await files.save(principal.keyName, received, metadata);
    return { id, release: () => files.delete(principal.keyName, id) };
  } finally {
    await file.close();
  }
}
