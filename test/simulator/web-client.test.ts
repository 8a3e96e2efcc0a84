import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { WebClient, WebError } from "./web-client.js";

/** Everything that a user of the web chat does, by a client that is written from the protocol document alone. */
describe("a client written from kimi-web.md", () => {
  let simulator: Simulator;
  let client: WebClient;

  beforeAll(async () => {
    simulator = await startSimulator();
    client = new WebClient(simulator.url, simulator.issue());
  });
  afterAll(() => simulator.close());

  test("chats over several turns, each after the answer before", async () => {
    const first = await client.ask("sim:say=Hello there.");
    expect(first).toMatchObject({
      text: "Hello there.",
      thinking: "",
      status: "MESSAGE_STATUS_COMPLETED",
      chatName: "sim:say=Hello there.",
    });
    const second = await client.ask("sim:recall", { after: first });
    expect(second).toMatchObject({ text: "sim:say=Hello there.", chatId: first.chatId });
    expect(second.parentId).toBe(first.messageId);
    const roles = (await client.listMessages(first.chatId)).map(({ role }) => role);
    expect(roles).toEqual(["assistant", "user", "assistant", "user", "system"]);
  });

  test.each(["split", "burst", "gzip", "snapshot", "rewrite"] as const)(
    "reads an answer in the encoding “%s”",
    async (kind) => {
      simulator.fault({ kind });
      const { text } = await client.ask("sim:say=one two three four");
      expect(text).toBe(kind === "rewrite" ? "(Rewritten.) three four" : "one two three four");
    },
  );

  test("gets thinking apart from the text", async () => {
    const { thinking, text } = await client.ask("sim:say=4", { thinking: true });
    expect(thinking).toContain("Let me think");
    expect(text).toBe("4");
  });

  test("gets the sources of a search, and a second round of thinking and text after it", async () => {
    const answer = await client.ask("the latest news", { search: true, thinking: true });
    expect(answer.queries).toEqual(["the latest news"]);
    expect(answer.sources.map(({ url }) => url)).toEqual([
      "https://example.org/simulated",
      "https://example.com/simulated",
    ]);
    expect(answer.text).toMatch(/search first.*You said.*web_search:1#0/);
    expect(answer.thinking).toMatch(/Let me think.*The results/);
  });

  test("attaches an image and a document", async () => {
    const image = await client.upload("plan.png", "image/png", "not really an image");
    const document = await client.upload("report.pdf", "application/pdf", "%PDF");
    const { files, text } = await client.ask("sim:say=Seen.", { files: [image, document] });
    expect(text).toBe("Seen.");
    expect(files).toMatchObject([
      { id: image, parseResult: { thumbnail: { thumbnailUrl: expect.stringContaining("&t=t") } } },
      { id: document, meta: { name: "report.pdf" } },
    ]);
  });

  test("renews an access token that has expired, and fails once the login is revoked", async () => {
    const tokens = simulator.issue();
    const ada = new WebClient(simulator.url, tokens);
    const before = simulator.counts().refreshes;
    simulator.expireAccessTokens();
    expect((await ada.ask("sim:say=Still here.")).text).toBe("Still here.");
    expect(simulator.counts().refreshes).toBe(before + 1);

    const eve = new WebClient(simulator.url, simulator.issue({ accessSeconds: -1, user: "eve" }));
    expect(await eve.listChats()).toEqual([]);
    const { accessToken, refreshToken } = simulator.issue({ accessSeconds: -1 });
    simulator.revoke(refreshToken);
    const revoked = new WebClient(simulator.url, { accessToken, refreshToken });
    await expect(revoked.ask("hello")).rejects.toMatchObject({ code: "unauthenticated" });
  });

  test("cancels a running answer and keeps what it had", async () => {
    let cancelled: Promise<void> | undefined;
    const answer = await client.ask("first sim:fault=stall,3", {
      onOpened: (ids) => {
        cancelled = client.cancel(ids);
      },
    });
    await cancelled;
    expect(answer.status).toBe("MESSAGE_STATUS_CANCELLED");
    expect(await client.listMessages(answer.chatId)).toMatchObject([
      { id: answer.messageId, status: "MESSAGE_STATUS_CANCELLED" },
      { role: "user" },
      { role: "system" },
    ]);
  });

  test("lists its own chats page by page, and deletes them", async () => {
    const bob = new WebClient(simulator.url, simulator.issue({ user: "bob" }));
    const chats: string[] = [];
    for (const text of ["one", "two", "three"]) chats.push((await bob.ask(text)).chatId);
    expect((await bob.listChats(2)).sort()).toEqual([...chats].sort());
    for (const chat of chats) await bob.deleteChat(chat);
    expect(await bob.listChats()).toEqual([]);
    await expect(bob.deleteChat(String(chats[0]))).rejects.toBeInstanceOf(WebError);
  });

  test("sees the code and the reason of a refusal", async () => {
    simulator.fault({
      kind: "error",
      code: "resource_exhausted",
      reason: "REASON_SERVER_OVERLOADED_FOR_FREE_USER",
      afterDone: true,
    });
    await expect(client.ask("hello")).rejects.toMatchObject({
      code: "resource_exhausted",
      reason: "REASON_SERVER_OVERLOADED_FOR_FREE_USER",
    });
  });
});
