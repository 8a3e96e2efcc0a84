import { chatBody, type Gateway, postChat } from "../gateway.js";
import { type Platform, startPlatform } from "../upstreams/openai/scripted-platform.js";

/** The two halves of every answer. */
export const halves = (asked: string): [string, string] => [`first of ${asked}; `, `second of ${asked}.`];

/** A platform that sends the second half of its answers when `release` is called. */
export async function startHeldPlatform(): Promise<{ platform: Platform; release: () => void }> {
  const platform = await startPlatform();
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  platform.respondWith(async (response, { body }) => {
    const { content } = JSON.parse(JSON.stringify(body.messages)).at(-1);
    const chunk = (delta: object, finish: string | null = null) =>
      `data: ${JSON.stringify({ id: "x", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
    const [first, second] = halves(content);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk({ role: "assistant", content: first }));
    await released;
    response.end(`${chunk({ content: second })}${chunk({}, "stop")}data: [DONE]\n\n`);
  });
  return { platform, release };
}

/** Starts a stream; resolves at its first content, to the whole answer. */
export async function startStream(gateway: Gateway, model: string, asked: string) {
  const response = await postChat(gateway, chatBody(asked, { model, stream: true }));
  if (!response.ok || !response.body)
    throw new Error(`${model}: ${response.status} ${await response.text()}`);
  const chunks = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("first of")) {
    const { value, done } = await chunks.read();
    if (done) throw new Error(`${model} ended before its first half: ${text}`);
    text += value;
  }
  const readRest = async () => {
    for (let part = await chunks.read(); !part.done; part = await chunks.read()) text += part.value;
    return { asked, upstream: response.headers.get("x-moonbridge-upstream"), text };
  };
  return { answer: readRest() };
}
