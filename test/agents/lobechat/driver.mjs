// Runs LobeChat's model runtime: one call, read as JSON from the standard input; what it yields is printed as JSON lines.
import { text } from "node:stream/consumers";
import { LobeMoonshotAI } from "@lobehub/chat/packages/model-runtime/src/providers/moonshot/index.ts";
import { LobeOpenAI } from "@lobehub/chat/packages/model-runtime/src/providers/openai/index.ts";

text(process.stdin).then((input) => call(JSON.parse(input)));

async function call({ provider, apiKey, baseURL, method, payload, options }) {
  const Runtime = provider === "moonshot" ? LobeMoonshotAI : LobeOpenAI;
  try {
    const result = await new Runtime({ apiKey, baseURL })[method](payload, options);
    if (method === "chat") for await (const event of readEvents(result.body)) print(event);
    else print({ type: "result", data: result });
  } catch (error) {
    print({ type: "thrown", data: { ...error, message: error.message } });
  }
}

/** The events that LobeChat's pages get: lines of an id, a type and JSON. */
async function* readEvents(body) {
  let type = "";
  let rest = "";
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("event: ")) type = line.slice("event: ".length);
      if (line.startsWith("data: ")) yield { type, data: JSON.parse(line.slice("data: ".length)) };
    }
  }
}

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
