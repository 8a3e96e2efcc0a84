import { describe, expect, test } from "vitest";
import { nonStreamedAnswer } from "../fixtures/moonshot.js";
import { chatBody, type Gateway, postChat, startGateway } from "../gateway.js";
import { gatewayTo, json, type Platform, startPlatform } from "../upstreams/openai/scripted-platform.js";

type Outcome = {
  status: number;
  upstream: string | null;
  code: string | undefined;
  message: string;
  model: string;
};

async function ask(gateway: Gateway, model: string): Promise<Outcome> {
  const response = await postChat(gateway, chatBody("hi", { model }));
  const body: { model: string; error?: { code: string; message: string } } = JSON.parse(
    await response.text(),
  );
  return {
    status: response.status,
    upstream: response.headers.get("x-moonbridge-upstream"),
    code: body.error?.code,
    message: body.error?.message ?? "",
    model: body.model,
  };
}

/** The options of the last request to Kimi's web chat. */
function lastOptions({ simulator }: Gateway): unknown {
  return simulator.calls.findLast(({ path }) => path.endsWith("/Chat"))?.body?.options;
}

type ListedModel = { id: string; name: string };

async function list({ client }: Gateway): Promise<ListedModel[]> {
  return JSON.parse(JSON.stringify((await client.models.list()).data));
}

async function startWithPlatform(
  ...args: Parameters<typeof gatewayTo> extends [Platform, ...infer R] ? R : never
) {
  const platform = await startPlatform();
  platform.respondWith(json(200, nonStreamedAnswer));
  return { platform, gateway: await gatewayTo(platform, ...args) };
}

describe("names of the platform's models", () => {
  test("mean Kimi's default chat model", async () => {
    const gateway = await startGateway();
    const names = [
      "moonshot-v1-8k",
      "moonshot-v1-32k",
      "moonshot-v1-128k",
      "moonshot-v1-auto",
      "moonshot-v1-8k-vision-preview",
      "kimi-latest",
      "kimi-latest-128k",
      "kimi-k2",
      "kimi-k2.6",
      "kimi-k2-0905-preview",
      "kimi-k2-turbo-preview",
      "Kimi-K2-Instruct",
    ];
    for (const name of names) {
      expect(await ask(gateway, name), name).toMatchObject({ status: 200, upstream: "me" });
      expect(lastOptions(gateway), name).toMatchObject({ model: "k2d6-chat", thinking: false });
    }
  });

  test("think where the platform's model always thinks", async () => {
    const gateway = await startGateway();
    for (const name of ["kimi-k2-thinking", "kimi-k2-thinking-turbo", "kimi-thinking-preview"]) {
      expect((await ask(gateway, name)).status, name).toBe(200);
      expect(lastOptions(gateway), name).toMatchObject({ model: "k2d6-chat", thinking: true });
    }
  });

  test("go to a later upstream that lists them, others to the first", async () => {
    const { platform, gateway } = await startWithPlatform();
    const names = [
      "kimi-k2.6",
      "Kimi-K2.6",
      "moonshot-v1-8k",
      "kimi-k2.6-thinking",
      "kimi-k2.5",
      "moonshot-v1-32k",
    ];
    const outcomes = [];
    for (const name of names) outcomes.push((await ask(gateway, name)).upstream);
    expect(outcomes).toEqual(["platform", "platform", "platform", "platform", "me", "me"]);
    expect(platform.calls.map(({ body }) => body.model)).toEqual([
      "kimi-k2.6",
      "kimi-k2.6",
      "moonshot-v1-8k",
      "kimi-k2.6",
    ]);
  });

  test("do not fall to another account while the platform's list is not known", async () => {
    const { platform, gateway } = await startWithPlatform();
    platform.respondToModelsWith(json(500, {}));
    expect(await ask(gateway, "kimi-k2.6")).toMatchObject({ status: 502, code: "upstream_unavailable" });
    expect((await ask(gateway, "kimi")).upstream).toBe("me");
  });
});

describe("letter case and space around a name", () => {
  test("make no difference, and the answer has the name as it is listed", async () => {
    const gateway = await startGateway({ routes: { mine: ["me"] }, modelAliases: { other: "kimi" } });
    const names = {
      KIMI: "kimi",
      "  kimi\n": "kimi",
      "Moonshot-V1": "moonshot-v1",
      "Kimi-Thinking-NoSearch": "kimi-thinking-nosearch",
      "K2D6-Chat": "k2d6-chat",
      " ME/Kimi ": "me/kimi",
      Mine: "mine",
      "Other-Silent": "other-silent",
    };
    for (const [requested, spelled] of Object.entries(names)) {
      expect(await ask(gateway, requested)).toMatchObject({ status: 200, model: spelled });
      expect(lastOptions(gateway)).toMatchObject({ model: "k2d6-chat" });
      expect((await gateway.client.models.retrieve(requested)).id).toBe(spelled);
    }
  });

  test("an exact spelling comes first", async () => {
    const models = { data: [{ id: "Org/Model" }, { id: "org/model" }] };
    const { platform, gateway } = await startWithPlatform({ preset: "generic" });
    platform.respondToModelsWith(json(200, models));
    for (const name of ["org/model", "Org/Model", "ORG/MODEL"]) await ask(gateway, name);
    expect(platform.calls.map(({ body }) => body.model)).toEqual(["org/model", "Org/Model", "Org/Model"]);
  });
});

describe("upstream/model", () => {
  test("chooses the upstream, also against a route", async () => {
    const { platform, gateway } = await startWithPlatform({}, { routes: { kimi: ["me"] } });
    expect(await ask(gateway, "platform/kimi")).toMatchObject({ status: 200, upstream: "platform" });
    expect(await ask(gateway, "platform/kimi-k3")).toMatchObject({ status: 200, upstream: "platform" });
    expect(await ask(gateway, "me/kimi-k2.6")).toMatchObject({ status: 200, upstream: "me" });
    expect(await ask(gateway, "me/k3-agent-thinking")).toMatchObject({ upstream: "me" });
    expect(platform.calls.map(({ body }) => body.model)).toEqual(["kimi-k2.6", "kimi-k3"]);
  });

  test("does not look at other upstreams", async () => {
    const { gateway } = await startWithPlatform();
    expect(await ask(gateway, "me/kimi-k3")).toMatchObject({ status: 404, code: "model_not_found" });
    expect(await ask(gateway, "nobody/kimi")).toMatchObject({ status: 404, code: "model_not_found" });
  });

  test("leaves ids with slashes whole", async () => {
    const models = ["moonshotai/Kimi-K2", "me/own"];
    const { platform, gateway } = await startWithPlatform({ preset: "generic", models });
    expect((await ask(gateway, "moonshotai/Kimi-K2")).upstream).toBe("platform");
    expect((await ask(gateway, "platform/moonshotai/Kimi-K2")).upstream).toBe("platform");
    expect((await ask(gateway, "me/own")).upstream).toBe("platform");
    expect(platform.calls.map(({ body }) => body.model)).toEqual([
      "moonshotai/Kimi-K2",
      "moonshotai/Kimi-K2",
      "me/own",
    ]);
  });

  test("is limited to the key's upstreams", async () => {
    const platform = await startPlatform();
    const gateway = await gatewayTo(
      platform,
      {},
      { keys: [{ name: "one", key: "sk-CANARY-one", upstreams: ["me"] }] },
    );
    const init = { headers: { authorization: "Bearer sk-CANARY-one", "content-type": "application/json" } };
    expect((await postChat(gateway, chatBody("hi", { model: "platform/kimi" }), init)).status).toBe(404);
  });
});

test("a key for an alias of a model without search cannot search by a parameter", async () => {
  const gateway = await startGateway({
    modelAliases: { safe: "kimi-nosearch" },
    keys: [{ name: "one", key: "sk-CANARY-one", models: ["safe"] }],
  });
  const init = { headers: { authorization: "Bearer sk-CANARY-one", "content-type": "application/json" } };
  const status = async (fields: Record<string, unknown>) =>
    (await postChat(gateway, chatBody("hi", { model: "safe", ...fields }), init)).status;
  expect([await status({}), await status({ use_search: true })]).toEqual([200, 404]);
});

describe("patterns", () => {
  test("of modelAliases stand for a model, with the suffixes of both", async () => {
    const gateway = await startGateway({
      modelAliases: {
        "gpt-4o": "k3-agent",
        "gpt-*-mini": "kimi-nosearch",
        "gpt-*": "kimi-thinking",
        "*": "me/kimi",
      },
    });
    const options = async (model: string) => {
      expect(await ask(gateway, model)).toMatchObject({ status: 200, model });
      return lastOptions(gateway);
    };
    expect(await options("gpt-4o")).toMatchObject({ model: "k3-agent" });
    expect(await options("gpt-4.1-mini")).toMatchObject({ model: "k2d6-chat", thinking: false });
    expect(await options("gpt-5")).toMatchObject({ model: "k2d6-chat", thinking: true });
    expect(await options("claude-opus-thinking")).toMatchObject({ model: "k2d6-chat", thinking: true });
    expect(await options("claude-opus")).toMatchObject({ model: "k2d6-chat", thinking: false });
    expect(await options("k3-agent")).toMatchObject({ model: "k3-agent" });
  });

  test("of routes choose upstreams; an exact name wins over a pattern, and the first pattern over the next", async () => {
    const routes = { "gpt-*": ["platform"], "gpt-4*": ["me"], "gpt-4o": ["me"], "*": ["platform", "me"] };
    const { gateway } = await startWithPlatform({}, { routes });
    expect((await ask(gateway, "gpt-4o")).upstream).toBe("me");
    expect((await ask(gateway, "gpt-4.1")).upstream).toBe("platform");
    expect((await ask(gateway, "claude")).upstream).toBe("platform");
    expect((await ask(gateway, "kimi-silent")).upstream).toBe("platform");
  });

  test("of routes leave a model to those of their upstreams that have it", async () => {
    const { gateway } = await startWithPlatform({}, { routes: { "k*": ["platform", "me"] } });
    expect((await ask(gateway, "k2d6-chat")).upstream).toBe("me");
    expect((await ask(gateway, "kimi-k3")).upstream).toBe("platform");
    expect((await ask(gateway, "knew")).upstream).toBe("platform");
  });
});

test("an unknown model is refused with the ways to give it a meaning", async () => {
  const gateway = await startGateway();
  const { status, code, message } = await ask(gateway, "gpt-9");
  expect([status, code]).toEqual([404, "model_not_found"]);
  for (const way of ["“gpt-9”", "/v1/models", "“kimi”", "modelAliases", "routes", "upstream/model"])
    expect(message).toContain(way);
});

test("a name of many suffixes or of great length is refused at once", async () => {
  const gateway = await startGateway();
  expect((await ask(gateway, `x${"-search".repeat(70)}`)).status).toBe(404);
});

describe("the list of models", () => {
  const named = {
    routes: { mine: ["me"], "gpt-*": ["me"] },
    modelAliases: { "gpt-4o": "kimi-search", "o*": "kimi" },
  };

  test("has the names of the configuration, the platform's, each suffix, and upstream/model", async () => {
    const { gateway } = await startWithPlatform({}, named);
    const ids = (await list(gateway)).map(({ id }) => id);
    expect(ids).toEqual(
      expect.arrayContaining([
        "mine",
        "gpt-4o",
        "kimi-vision",
        "k2d6-chat-thinking",
        "moonshot-v1-8k",
        "moonshot-v1-auto",
        "kimi-latest",
        "kimi-k2",
        "me/kimi",
        "me/k3-agent",
        "platform/kimi",
        "platform/kimi-k2.6",
      ]),
    );
    expect(ids.filter((id) => id.includes("*"))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("gives each of them a name of its own that shows the suffixes", async () => {
    const { gateway } = await startWithPlatform({}, named);
    const models = await list(gateway);
    expect(new Set(models.map(({ name }) => name)).size).toBe(models.length);
    for (const { id, name } of models) {
      for (const suffix of ["thinking", "search", "nosearch", "silent", "vision"])
        if (id.endsWith(`-${suffix}`)) expect(name).toContain(suffix);
    }
    const nameOf = (id: string) => models.find((model) => model.id === id)?.name;
    expect(nameOf("k2d6-chat")).toBe("Instant (K2.6) (simulated)");
    expect(nameOf("kimi-search")).toBe("Instant (K2.6) (simulated) (kimi, search)");
    expect(nameOf("gpt-4o")).toBe("Instant (K2.6) (simulated) (gpt-4o, search)");
    expect(nameOf("me/k3-agent")).toBe("K3 (simulated) (me)");
  });

  test("has every name under which a listed model answers, and finds those that are not listed", async () => {
    const gateway = await startGateway({
      ...named,
      simulator: { script: () => [{ do: "text", content: ["ok"] }] },
    });
    for (const { id } of await list(gateway))
      expect(await ask(gateway, id)).toMatchObject({ status: 200, model: id });
    for (const id of ["kimi-k2-thinking-search", "gpt-5", "o3", "me/kimi-search"]) {
      expect(await ask(gateway, id)).toMatchObject({ status: 200, model: id });
      const path = `${gateway.url}/v1/models/${id}`;
      const response = await fetch(path, { headers: { authorization: "Bearer sk-CANARY-key" } });
      expect(await response.json()).toMatchObject({ id });
    }
  }, 60_000);

  test("gives two models of one name two names", async () => {
    const data = ["one", "two"].map((id) => ({ id, display_name: "Same" }));
    const { platform, gateway } = await startWithPlatform({ preset: "generic" });
    platform.respondToModelsWith(json(200, { data }));
    const names = (await list(gateway))
      .filter(({ id }) => id === "one" || id === "two")
      .map(({ name }) => name);
    expect(names).toEqual(["Same", "Same [two]"]);
  });

  test("has a model only once that two accounts have, and both under their upstreams", async () => {
    const gateway = await startGateway({
      upstreams: (simulator) => [
        {
          name: "other",
          kind: "kimi-web",
          baseUrl: simulator.url,
          authUrl: simulator.url,
          ...simulator.issue(),
        },
      ],
    });
    const ids = (await list(gateway)).map(({ id }) => id);
    expect(ids.filter((id) => id.endsWith("k2d6-chat"))).toEqual([
      "k2d6-chat",
      "me/k2d6-chat",
      "other/k2d6-chat",
    ]);
  });
});
