import { describe, expect, test } from "vitest";
import { startSimulator } from "../../../simulator/index.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "../../cli/process.js";
import { Dialogue, sentTurns } from "../../conversations/dialogue.js";
import { apiKey, type Gateway, startGateway } from "../../gateway.js";
import { post } from "./event-stream.js";

const yourKey = "sk-CANARY-yours";

async function create(gateway: Gateway, body: Record<string, unknown>, key?: string) {
  const response = await post(gateway, { model: "kimi", ...body }, key === undefined ? {} : { key });
  return { status: response.status, json: Object(await response.json()) };
}

function countChats(gateway: Gateway): number {
  return sentTurns(gateway).filter(({ chatId }) => chatId === undefined).length;
}

describe("stored responses", () => {
  test("belong to one key", async () => {
    const gateway = await startGateway({ keys: [{ name: "you", key: yourKey, scopes: ["chat"] }] });
    const { json } = await create(gateway, { input: "A secret." });
    const headers = { authorization: `Bearer ${yourKey}` };
    for (const path of ["", "/input_items"]) {
      const response = await fetch(`${gateway.url}/v1/responses/${json.id}${path}`, { headers });
      expect(response.status).toBe(404);
    }
    const deletion = await fetch(`${gateway.url}/v1/responses/${json.id}`, { method: "DELETE", headers });
    expect(deletion.status).toBe(404);
    const next = await create(
      gateway,
      { input: "Tell me. sim:recall", previous_response_id: json.id },
      yourKey,
    );
    expect(next).toMatchObject({ status: 404, json: { error: { code: "previous_response_not_found" } } });
    const [item] = json.output;
    const input = [
      { type: "item_reference", id: item.id },
      { role: "user", content: "sim:recall" },
    ];
    expect(await create(gateway, { input }, yourKey)).toMatchObject({ status: 404 });
    expect(await create(gateway, { input })).toMatchObject({ status: 200 });
  });

  test("are in the database without a readable text", async () => {
    const gateway = await startGateway();
    const { json } = await create(gateway, {
      input: "PROMPT-IN-THE-STORE",
      metadata: { a: "METADATA-IN-THE-STORE" },
    });
    const [stored] = await gateway.store.findResponses("test", json.id, { limit: 1, bytes: 1 }, Date.now());
    expect(stored?.body).toMatch(/^mb1\.[\w-]+$/);
    expect(JSON.stringify(stored)).not.toContain("IN-THE-STORE");
  });

  test("expire with the conversations", async () => {
    const gateway = await startGateway({ chats: { keepHours: 1e-9 } });
    const { json } = await create(gateway, { input: "Hello." });
    const next = await create(gateway, { input: "And?", previous_response_id: json.id });
    expect(next).toMatchObject({ status: 404, json: { error: { code: "previous_response_not_found" } } });
  });

  test("that rest on a deleted one cannot be continued", async () => {
    const gateway = await startGateway();
    const first = await gateway.client.responses.create({ model: "kimi", input: "One." });
    const second = await create(gateway, { input: "Two.", previous_response_id: first.id });
    await gateway.client.responses.delete(first.id);
    expect((await create(gateway, { input: "Three.", previous_response_id: second.json.id })).status).toBe(
      404,
    );
  });

  test("are deleted though the request announces JSON and has none", async () => {
    const gateway = await startGateway();
    const { json } = await create(gateway, { input: "One." });
    const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
    const deletion = await fetch(`${gateway.url}/v1/responses/${json.id}`, { method: "DELETE", headers });
    expect(await deletion.json()).toEqual({ id: json.id, object: "response.deleted", deleted: true });
  });

  test("list their input in pages", async () => {
    const { client } = await startGateway();
    const { id } = await client.responses.create({
      model: "kimi",
      input: ["one", "two", "three"].map((content) => ({ role: "user" as const, content })),
    });
    const contents: unknown[] = [];
    for await (const item of client.responses.inputItems.list(id, { order: "asc", limit: 2 }))
      contents.push(Object(item).content);
    expect(contents).toEqual(["one", "two", "three"]);
    const newest = await client.responses.inputItems.list(id, { limit: 1 });
    expect(newest).toMatchObject({ data: [{ content: "three" }], has_more: true });
    await expect(client.responses.inputItems.list(id, { after: "msg_unknown" })).rejects.toMatchObject({
      status: 400,
      param: "after",
    });
  });

  test("that are too large are answered, but not stored", async () => {
    const gateway = await startGateway();
    const { json, status } = await create(gateway, {
      input: [
        { role: "user", content: "sim:say=Large." },
        { type: "unknown", data: "y".repeat(8_000_000) },
      ],
    });
    expect({ status, store: json.store ?? json.error }).toEqual({ status: 200, store: false });
  });
});

describe("a conversation", () => {
  test("goes on in either dialect, in the same chat", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    await dialogue.send("Remember apples.");
    const first = await create(gateway, {
      store: false,
      input: [...dialogue.history, { role: "user", content: "Remember pears." }],
    });
    const [message] = first.json.output;
    dialogue.history.push(
      { role: "user", content: "Remember pears." },
      { role: "assistant", content: message.content[0].text },
    );
    const answer = await dialogue.send("What do you remember? sim:recall");
    expect(answer).toMatch(/apples[\s\S]*pears/);
    expect(countChats(gateway)).toBe(1);
  });

  test("never has the words of another branch, also after an answer without text or a compacted history", async () => {
    const gateway = await startGateway();
    const thought = await create(gateway, { input: "First. sim:fault=think-only" });
    await create(gateway, { input: "A BRANCH", previous_response_id: thought.json.id });
    const afterThought = await create(gateway, {
      input: "sim:recall",
      previous_response_id: thought.json.id,
    });
    expect(afterThought.json.output[0].content[0].text).toBe("First. sim:fault=think-only");
    expect(countChats(gateway)).toBe(1);

    const first = await create(gateway, { input: "Second." });
    const input = [{ type: "compaction_trigger" }];
    const compacted = await create(gateway, { input, previous_response_id: first.json.id });
    await create(gateway, { input: "A BRANCH", previous_response_id: first.json.id });
    const afterCompaction = await create(gateway, {
      input: "sim:recall",
      previous_response_id: compacted.json.id,
    });
    expect(afterCompaction.json.output[0].content[0].text).not.toContain("BRANCH");
  });

  test("goes on after an answer without text, though its chat is gone", async () => {
    const gateway = await startGateway();
    const { json } = await create(gateway, { input: "First. sim:fault=think-only" });
    gateway.simulator.fault({ kind: "error", code: "not_found" });
    const next = await create(gateway, { input: "sim:recall", previous_response_id: json.id });
    expect(next.json.output[0].content[0].text).toContain("First.");
    expect(countChats(gateway)).toBe(2);
  });

  test("goes on after a restart, and after kill -9 between two turns", { timeout: 90_000 }, async () => {
    const simulator = await startSimulator();
    const folder = createTemporaryFolder();
    const upstream = { name: "me", kind: "kimi-web", baseUrl: simulator.url, authUrl: simulator.url };
    writeConfig(folder, { token: "sk-CANARY-key", upstreams: [{ ...upstream, ...simulator.issue() }] });
    let previous: string | undefined;
    for (const [input, signal] of [
      ["Remember apples.", "SIGKILL"],
      ["Remember pears.", "SIGTERM"],
      ["What do you remember? sim:recall", "SIGKILL"],
    ] as const) {
      const program = runMoonbridge(["--port", "0"], folder);
      const body = {
        model: "kimi",
        input,
        stream: true,
        ...(previous ? { previous_response_id: previous } : {}),
      };
      const text = await (await post({ url: await program.ready }, body)).text();
      program.kill(signal);
      await program.exit;
      previous = /"id":"(resp_\w+)"/.exec(text)?.[1];
      if (input.includes("recall")) expect(text).toMatch(/apples[\s\S]*pears/);
    }
    const chats = simulator.calls.filter(({ path }) => path.endsWith("/Chat"));
    expect(chats.map(({ body }) => typeof Object(body).chat_id)).toEqual(["undefined", "string", "string"]);
    await simulator.close();
  });
});
