import {
  type CallToolResult,
  Client,
  type RequestOptions,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { onTestFinished } from "vitest";
import { apiKey, type Gateway } from "../../gateway.js";

/** The revisions of the protocol that clients speak: with a handshake, and with an envelope in each request. */
export const eras = ["2025", "2026-07-28"] as const;
type Era = (typeof eras)[number];

/** The official client, connected to a gateway. */
export async function connectMcp(
  gateway: Gateway,
  { key = apiKey, era = "2025" }: { key?: string; era?: Era } = {},
): Promise<Client> {
  const client = new Client(
    { name: "test", version: "1" },
    era === "2025" ? {} : { versionNegotiation: { mode: { pin: era } } },
  );
  const headers = { authorization: `Bearer ${key}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { requestInit: { headers } }),
  );
  onTestFinished(() => client.close());
  return client;
}

/** A result as tests look at it; the client has compared it with the schema of the tool. */
export type Called = {
  text: string;
  isError: boolean;
  structured: { answer: string; sources: { title: string; url: string }[]; conversation_id?: string };
  error: unknown;
};

export async function callTool(
  client: Client,
  name: string,
  input: Record<string, unknown>,
  options: RequestOptions = {},
): Promise<Called> {
  return toCalled(await client.callTool({ name, arguments: input }, options));
}

function toCalled(result: CallToolResult): Called {
  const { content, structuredContent, isError = false, _meta } = result;
  const text = content.map((part) => (part.type === "text" ? part.text : part.type)).join("\n");
  const structured = { answer: "", sources: [], ...Object(structuredContent) };
  return { text, isError, structured, error: _meta?.["moonbridge/error"] };
}

/** Posts one JSON-RPC body as a client of 2025 does; a string is sent as it is. */
export function postMcp(
  gateway: Gateway,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${gateway.url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${apiKey}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** The JSON-RPC message of a call. */
export function toolCall(id: number, name: string, input: unknown): object {
  return { jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: input } };
}
