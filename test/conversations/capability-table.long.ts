import fc from "fast-check";
import type OpenAI from "openai";
import { expect, test } from "vitest";
import { type Capability, capabilityNames } from "../../simulator/capabilities.js";
import { type CapabilityName, capabilities } from "../../src/core/capabilities.js";
import { type Gateway, startGateway } from "../gateway.js";
import { Dialogue, sentTurns } from "./dialogue.js";
import { changedCapabilities, startMeasured } from "./measured-account.js";

type Row = {
  capability: string;
  kimi: string;
  turns: number;
  "wrong recalls": number;
  chats: number;
  "tool calls": string;
  "wrong answers": number;
  "turned off": string;
};

const turnsOfDialogue = 12;
const dialogues = 4;

test("whatever Kimi does not do, known or not, conversations stay right, tools work, and answers are true", {
  timeout: 600_000,
}, async () => {
  const rows: Row[] = [await measure("(all)", "does everything", await startGateway())];
  for (const name of capabilityNames) {
    const without: Capability[] = [name];
    const known = measuredName(name);
    if (known) {
      const off = await startMeasured({ [known]: false }, { without });
      rows.push(await measure(name, "does not, and it is known", off));
      rows.push(await measure(name, "does, and it is known", await startMeasured({ [known]: true })));
    }
    rows.push(await measure(name, "does not, by surprise", await startGateway({ simulator: { without } })));
  }
  console.table(rows);
  for (const row of rows) {
    expect(row).toMatchObject({ "wrong recalls": 0, "wrong answers": 0 });
    // A model that calls no functions is the model's affair: what counts is that nothing else is said to be one.
    if (!row.capability.startsWith("tool-calls")) expect(row).toMatchObject({ "tool calls": "3 of 3" });
  }
});

/** The capability of the product that the simulator's switch takes away. */
function measuredName(name: Capability): CapabilityName | undefined {
  const known = name === "old-parent-accepted" ? "old-parent" : name;
  return Object.keys(capabilities).find((each): each is CapabilityName => each === known);
}

async function measure(capability: string, kimi: string, gateway: Gateway): Promise<Row> {
  const wrongRecalls = await recallInDialogues(gateway);
  const chats = sentTurns(gateway).filter(({ chatId }) => chatId === undefined).length;
  const calls = await callFunctions(gateway);
  const wrongAnswers = await compareAnswers(gateway);
  const changed = (await changedCapabilities(gateway)).filter(({ value }) => value === false);
  return {
    ...{ capability, kimi, turns: turnsOfDialogue * dialogues, "wrong recalls": wrongRecalls, chats },
    ...{ "tool calls": `${calls} of 3`, "wrong answers": wrongAnswers },
    "turned off": changed.map(({ name }) => name).join(", "),
  };
}

/** Dialogues side by side with random edits and repetitions: how many answers do not recall exactly their own questions. */
async function recallInDialogues(gateway: Gateway): Promise<number> {
  let wrong = 0;
  const choices = fc.sample(fc.nat(9), { numRuns: turnsOfDialogue * dialogues, seed: 20_261_129 });
  const run = async (index: number) => {
    const dialogue = new Dialogue(gateway);
    for (let turn = 0; turn < turnsOfDialogue; turn++) {
      const choice = choices[index * turnsOfDialogue + turn] ?? 0;
      const asked = dialogue.userMessages();
      // Three in ten edit an older question or ask the last one again.
      if (choice >= 7 && asked.length > 1)
        dialogue.rewindTo(choice === 7 ? asked.length - 1 : asked.length >> 1);
      const text = choice === 7 ? asked.at(-1) : undefined;
      const answer = await dialogue.send(text ?? `own-${index}-${turn} sim:recall`);
      const known = dialogue.userMessages().slice(0, -1).flatMap(wordsOf);
      if (wordsOf(answer).join() !== known.join()) wrong++;
    }
  };
  await Promise.all(Array.from({ length: dialogues }, (_, index) => run(index)));
  return wrong;
}

const wordsOf = (text: string) => [...new Set(text.match(/own-\d+-\d+/g))];

/** A call, its result, another call, and its result: how many are as the model was told to make them. */
async function callFunctions({ client }: Gateway): Promise<number> {
  const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const tools = [{ type: "function" as const, function: { name: "weather", parameters } }];
  const messages: OpenAI.ChatCompletionMessageParam[] = [];
  let right = 0;
  for (const city of ["Bern", "Genf", "Chur"]) {
    messages.push({ role: "user", content: `sim:call weather {"city":"${city}"}` });
    const { choices } = await client.chat.completions.create({ model: "kimi", messages, tools });
    const message = choices[0]?.message;
    const call = message?.tool_calls?.[0];
    if (!message || call?.type !== "function") break;
    if (call.function.name === "weather" && call.function.arguments === `{"city":"${city}"}`) right++;
    messages.push(message, { role: "tool", tool_call_id: call.id, content: "sunny" });
    const end = await client.chat.completions.create({ model: "kimi", messages, tools });
    messages.push({ role: "assistant", content: end.choices[0]?.message.content ?? "" });
  }
  return right;
}

/** Answers of every kind of text, streamed and whole: how many differ from what the model said. */
async function compareAnswers({ client }: Gateway): Promise<number> {
  let wrong = 0;
  for (const said of ["plain", "two  spaces", "中文，标点。", 'a <b> & "c"']) {
    const messages = [{ role: "user" as const, content: `  odd  spaces sim:say=${said}` }];
    const whole = await client.chat.completions.create({ model: "kimi", messages });
    const streamed = client.chat.completions.stream({ model: "kimi", messages });
    const texts = [whole, await streamed.finalChatCompletion()].map(
      ({ choices }) => choices[0]?.message.content,
    );
    wrong += texts.filter((text) => text !== said).length;
  }
  return wrong;
}
