import { describe, expect, test } from "vitest";
import { chatBody, type Gateway, postChat, startGateway } from "../../gateway.js";

const sentChats = ({ simulator }: Gateway) => simulator.calls.filter(({ path }) => path.endsWith("/Chat"));
const invalidArgument = { kind: "error", code: "invalid_argument" } as const;

describe("the first request of a chat", () => {
  test.each([
    ["kimi", undefined],
    ["k28-agent-preview", undefined],
    ["k3-agent", ""],
    ["k3-agent-swarm", ""],
  ])("to %s names the chat as that model requires", async (model, chatId) => {
    const gateway = await startGateway();
    expect((await postChat(gateway, chatBody("hello", { model }))).status).toBe(200);
    expect(sentChats(gateway).map(({ body }) => body?.chat_id)).toEqual([chatId]);
  });

  test("to K3 is sent once more without an id if Kimi does not understand it", async () => {
    const gateway = await startGateway();
    gateway.simulator.fault(invalidArgument);
    await postChat(gateway, chatBody("hello", { model: "k3-agent" }));
    expect(sentChats(gateway).map(({ body }) => body?.chat_id)).toEqual(["", undefined]);
  });

  test("to a chat model is not repeated", async () => {
    const gateway = await startGateway();
    gateway.simulator.fault(invalidArgument);
    expect((await postChat(gateway, chatBody("hello"))).status).toBe(502);
    expect(sentChats(gateway)).toHaveLength(1);
  });

  test("has the id of the chat from the second turn on", async () => {
    const gateway = await startGateway();
    const messages = [{ role: "user", content: "sim:say=one" }];
    await postChat(gateway, { model: "k3-agent", messages });
    const next = [...messages, { role: "assistant", content: "one" }, { role: "user", content: "two" }];
    await postChat(gateway, { model: "k3-agent", messages: next });
    expect(sentChats(gateway)[1]?.body?.chat_id).toMatch(/^\w{8}-/);
  });
});

describe("the version of Kimi's site", () => {
  const versions = ({ simulator }: Gateway) =>
    new Set(simulator.calls.map(({ headers }) => headers["x-msh-version"]));

  test("is 2.3.0 in every request by default", async () => {
    const gateway = await startGateway();
    await postChat(gateway, chatBody("hello"));
    expect(versions(gateway)).toEqual(new Set(["2.3.0"]));
  });

  test("is what the configuration says", async () => {
    const gateway = await startGateway({
      upstreams: (simulator) => [
        {
          name: "newer",
          kind: "kimi-web",
          baseUrl: simulator.url,
          authUrl: simulator.url,
          siteVersion: "2.4.1",
          ...simulator.issue(),
        },
      ],
    });
    await postChat(gateway, chatBody("hello", { model: "newer/kimi" }));
    expect(sentChats(gateway)[0]?.headers["x-msh-version"]).toBe("2.4.1");
  });
});
