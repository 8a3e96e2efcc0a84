import { apiKey, type Gateway } from "../../gateway.js";

/** An event of a stream; `response` and others by type. */
export type WireEvent = { type: string; sequence_number: number } & Record<string, unknown>;

/** The events of a finished stream. Throws unless they are named, numbered without gaps and begin and end as they must. */
export function parseEvents(body: string): WireEvent[] {
  if (body.includes("\r")) throw new Error("a CR in an event stream");
  const events = body.split("\n\n").flatMap((block): WireEvent[] => {
    if (block === "") return [];
    const [, name, data] = /^event: (\S+)\ndata: (.*)$/.exec(block) ?? [];
    if (name === undefined || data === undefined) throw new Error(`not a named event: ${block.slice(0, 80)}`);
    const event: WireEvent = JSON.parse(data);
    if (event.type !== name) throw new Error(`the event ${name} is of type ${event.type}`);
    if (name.endsWith(".delta") && Buffer.byteLength(data) > 60_000)
      throw new Error("a delta over 60,000 bytes");
    return [event];
  });
  for (const [index, event] of events.entries())
    if (event.sequence_number !== index) throw new Error(`number ${event.sequence_number} at ${index}`);
  if (events[0]?.type !== "response.created" || events[1]?.type !== "response.in_progress")
    throw new Error("the stream does not begin with response.created and response.in_progress");
  const ends = events.filter(({ type }) => /^response\.(completed|incomplete|failed)$/.test(type));
  if (ends.length !== 1 || ends[0] !== events.at(-1)) throw new Error("the stream does not have one end");
  const errors = events.filter(({ type }) => type === "error");
  const expected = ends[0]?.type === "response.failed" ? [events.at(-2)] : [];
  if (errors.length !== expected.length || errors[0] !== expected[0])
    throw new Error("the event error is not the one in front of response.failed");
  return events;
}

/** The text of an answer from its deltas. */
export function textOfEvents(events: readonly WireEvent[]): string {
  return events
    .map(({ type, delta }) => (type === "response.output_text.delta" ? String(delta) : ""))
    .join("");
}

/** Posts to a path of the Responses API; a string is sent as it is. */
export function post(
  gateway: Pick<Gateway, "url">,
  body: unknown,
  {
    path = "/v1/responses",
    key = apiKey,
    headers = {},
  }: { path?: string; key?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(`${gateway.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** Streams a response and returns its events. */
export async function streamEvents(
  gateway: Gateway,
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<WireEvent[]> {
  const response = await post(gateway, { model: "kimi", stream: true, ...body }, { headers });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return parseEvents(await response.text());
}
