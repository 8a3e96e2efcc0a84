import { type CallToolResult, McpServer, type ServerContext } from "@modelcontextprotocol/server";
import type { ChatService } from "../../chat/chat-service.js";
import { Deadline } from "../../core/deadline.js";
import { GatewayError, toGatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { RequestRecord } from "../../core/request-record.js";
import type { ChatRequest, EventSink, Principal, TraceContext } from "../../core/types.js";
import { version } from "../../lib/version.js";
import { ResultCollector } from "./collect.js";
import { errorResult } from "./errors.js";
import { parseAsk, parseRead, parseReadFile, parseSearch } from "./parse.js";
import { ProgressReporter } from "./progress.js";
import { callCancelled, type RunningCall } from "./running-calls.js";
import { askInput, readInput, readInputWithPaths, searchInput, toolOutput } from "./schema.js";

/** A file of this machine as an uploaded one, until it is released. */
export type LocalFile = { id: string; release(): Promise<void> };

/** Whom the tools serve, and what they may do. */
export type ToolContext = {
  chat: ChatService;
  principal: Principal;
  trace?: TraceContext;
  /** What is noted of the calls for the log. */
  record?: RequestRecord;
  /** Aborts all calls. */
  signal: AbortSignal;
  /** Counts a call against the limit of the key. Throws `rate_limited`. */
  admit(): Promise<void>;
  startCall(request: string | number): RunningCall;
  /** Opens a file of this machine by its path. Undefined: none may be read. */
  openFile?: (path: string, signal: AbortSignal) => Promise<LocalFile>;
  /** Why a call failed, for the log. */
  onFailure(error: GatewayError): void;
};

type Call = { principal: Principal; signal: AbortSignal; trace?: TraceContext };

/** How a tool asks Kimi. `send` returns the result of the answer. */
type Work = (
  call: Call,
  send: (request: ChatRequest, notes?: string[]) => Promise<CallToolResult>,
) => Promise<CallToolResult>;

const instructions =
  "Kimi as tools. kimi_search answers questions about the present with sources; kimi_read answers questions about a page, document or picture; kimi_ask chats. Each result has a conversation_id with which kimi_ask goes on.";

const annotations = { readOnlyHint: true, openWorldHint: true };

/** An MCP server for one client, with Kimi's tools. */
export function createMcpServer(context: ToolContext): McpServer {
  const server = new McpServer(
    { name: "moonbridge", title: "Moonbridge", version },
    { capabilities: { tools: { listChanged: false } }, instructions },
  );
  server.registerTool(
    "kimi_search",
    {
      title: "Search the web with Kimi",
      description:
        "Searches the web with Kimi and answers a question, with sources (title and address) to cite. Use it for news, facts that change, and anything that needs a source; especially good for Chinese sources. One call does several searches by itself; expect 10 to 60 seconds.",
      inputSchema: searchInput,
      outputSchema: toolOutput,
      annotations,
    },
    (input, request) => runTool(context, request, (call, send) => send(parseSearch(input, call))),
  );
  server.registerTool(
    "kimi_read",
    {
      title: "Read with Kimi",
      description:
        "Lets Kimi read one web page, document (PDF, Word, PowerPoint, Excel, text …) or picture, and answers a question about it. Good for long documents: only the answer comes back.",
      inputSchema: context.openFile ? readInputWithPaths : readInput,
      outputSchema: toolOutput,
      annotations,
    },
    (input, request) =>
      runTool(context, request, async (call, send) => {
        if (context.openFile && isPath(input.source)) {
          const file = await context.openFile(input.source, call.signal);
          try {
            return await send(parseReadFile(input, file.id, call));
          } finally {
            await file.release();
          }
        }
        const parsed = await parseRead(input, call, context.chat);
        return send(parsed.request, parsed.notes);
      }),
  );
  server.registerTool(
    "kimi_ask",
    {
      title: "Ask Kimi",
      description:
        "Sends a message to Kimi and returns its answer: a second opinion, a translation, a text. Pass conversation_id to go on in an earlier conversation, which Kimi remembers.",
      inputSchema: askInput,
      outputSchema: toolOutput,
      annotations,
    },
    (input, request) => runTool(context, request, (call, send) => send(parseAsk(input, call))),
  );
  return server;
}

/** Runs one call within its deadline; a failure becomes a result with `isError`. */
async function runTool(
  context: ToolContext,
  { mcpReq }: Pick<ServerContext, "mcpReq">,
  work: Work,
): Promise<CallToolResult> {
  const running = context.startCall(mcpReq.id);
  const cancelled = new AbortController();
  const cancel = () => cancelled.abort(callCancelled());
  mcpReq.signal.addEventListener("abort", cancel, { once: true });
  const signals = AbortSignal.any([context.signal, running.signal, cancelled.signal]);
  const deadline = new Deadline(signals, limits.answer, answerTimeout);
  const { signal } = deadline;
  const progress = new ProgressReporter(mcpReq);
  const send = async (request: ChatRequest, notes: string[] = []) => {
    const collector = new ResultCollector();
    const onEvents: EventSink = (events) => {
      for (const event of events) {
        collector.onEvent(event);
        progress.onEvent(event);
      }
    };
    await context.chat.answer(request, onEvents, context.record);
    return collector.result(notes);
  };
  try {
    await context.admit();
    const { principal, trace } = context;
    return await work({ principal, signal, ...(trace ? { trace } : {}) }, send);
  } catch (thrown) {
    const error = toGatewayError(thrown);
    context.onFailure(error);
    return errorResult(error);
  } finally {
    progress.stop();
    deadline.clear();
    mcpReq.signal.removeEventListener("abort", cancel);
    running.end();
  }
}

function answerTimeout(): GatewayError {
  return new GatewayError("timeout", "The answer took too long and was stopped.");
}

/** Neither an address nor the id of an uploaded file. */
function isPath(source: string): boolean {
  return !/^(https?:|data:|file-[0-9a-f]{32}$)/i.test(source.trim());
}
