import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Fault } from "../../../simulator/index.js";
import { sideRequests } from "../../chat/side-request-prompts.js";
import { chatBody, contentOf, parseChunks, postChat, startGateway } from "../../gateway.js";

const start = (options = {}) => startGateway({ kind: "kimi-legacy", ...options });

const busyBody = JSON.stringify({ error_type: "chat.user_stream_pushing", message: "…" });

/** Failures before the first delta, with the expected status and code. */
const refusals: [fault: Fault, status: number, code: string][] = [
  [{ kind: "error", code: "unavailable" }, 503, "upstream_overloaded"],
  [{ kind: "error", code: "internal" }, 503, "upstream_overloaded"],
  [{ kind: "error", code: "internal", reason: "moon.eclipse" }, 502, "upstream_unavailable"],
  [
    { kind: "error", code: "internal", reason: "REASON_TOKEN_LENGTH_TOO_LONG" },
    400,
    "context_length_exceeded",
  ],
  [
    { kind: "error", code: "internal", reason: "long_text_flash_catcher_limit" },
    400,
    "context_length_exceeded",
  ],
  [{ kind: "http", status: 429, body: "{}" }, 429, "rate_limit_exceeded"],
  [{ kind: "http", status: 403, body: '{"error_type":"moon.eclipse"}' }, 424, "account_login_required"],
  [{ kind: "http", status: 403, body: "no" }, 502, "upstream_unavailable"],
  [{ kind: "http", status: 403, body: "{}" }, 502, "upstream_unavailable"],
  [{ kind: "http", status: 500, body: "<html>" }, 502, "upstream_unavailable"],
  [{ kind: "http", status: 502, body: "<html>" }, 503, "upstream_overloaded"],
  [{ kind: "http", status: 504, body: "" }, 504, "timeout"],
  [{ kind: "http", status: 400, body: "{}" }, 502, "upstream_protocol"],
  [{ kind: "http", status: 200, body: "{}" }, 502, "upstream_protocol"],
  [{ kind: "html" }, 502, "upstream_protocol"],
  [{ kind: "cut-before" }, 502, "upstream_cut"],
  [{ kind: "cut", after: 0 }, 502, "upstream_cut"],
  [{ kind: "no-trailer", after: 0 }, 502, "upstream_cut"],
  [{ kind: "stall", after: 0 }, 504, "timeout"],
  [{ kind: "stall-heartbeat", after: 0, everyMilliseconds: 50 }, 504, "timeout"],
  [{ kind: "garbage", after: 0 }, 502, "upstream_protocol"],
  [{ kind: "huge", after: 0 }, 502, "upstream_protocol"],
  [{ kind: "empty" }, 502, "upstream_protocol"],
  [{ kind: "think-only" }, 502, "upstream_protocol"],
  [{ kind: "status-error", after: 0 }, 503, "upstream_overloaded"],
  [{ kind: "retract", after: 0 }, 400, "content_filter"],
];

describe("a failure before the first delta, streamed or not", () => {
  test.each(refusals)("%j is answered with %i %s", async (fault, status, code) => {
    const isStall = fault.kind.startsWith("stall");
    for (const stream of [true, false]) {
      const gateway = await start(isStall ? { timeouts: { idle: 400, progress: 400 } } : {});
      gateway.simulator.fault(fault);
      const response = await postChat(gateway, chatBody("sim:repeat=20", { stream }));
      expect(JSON.parse(await response.text())).toEqual({
        error: { message: expect.stringMatching(/[.?”]$/), type: expect.any(String), param: null, code },
      });
      expect(response.status).toBe(status);
      expect(gateway.simulator.counts().chats).toBe(1);
    }
  });

  test.each<Fault>([
    { kind: "error", code: "failed_precondition", reason: "chat.user_stream_pushing" },
    { kind: "http", status: 200, body: busyBody },
    { kind: "http", status: 429, body: busyBody },
  ])("waits for a busy account: %j", async (fault) => {
    const gateway = await start();
    gateway.simulator.fault(fault);
    expect((await postChat(gateway, chatBody("hello"))).status).toBe(200);
    expect(gateway.simulator.counts().chats).toBe(2);
  });

  test("answers account_busy if the queue may not wait that long", async () => {
    const gateway = await start({ queue: { waitSeconds: 1 } });
    gateway.simulator.fault({ kind: "http", status: 429, body: busyBody });
    const response = await postChat(gateway, chatBody("hello"));
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "2"]);
    expect(JSON.parse(await response.text()).error.code).toBe("account_busy");
  });
});

describe("a failure after the first delta", () => {
  test.each<[fault: Fault, code: string]>([
    [{ kind: "garbage", after: 3 }, "upstream_protocol"],
    [{ kind: "huge", after: 3 }, "upstream_protocol"],
    [{ kind: "status-error", after: 3 }, "upstream_overloaded"],
    [{ kind: "error-late", after: 3, code: "unavailable", afterDone: true }, "upstream_overloaded"],
    [{ kind: "exception", after: 3, reason: "moon.eclipse" }, "upstream_unavailable"],
    [{ kind: "exception", after: 3, reason: "REASON_TOKEN_LENGTH_TOO_LONG" }, "context_length_exceeded"],
  ])("%j ends the stream with the error %s", async (fault, code) => {
    const gateway = await start();
    gateway.simulator.fault(fault);
    const chunks = parseChunks(
      await (await postChat(gateway, chatBody("sim:repeat=20", { stream: true }))).text(),
    );
    expect([contentOf(chunks.slice(0, -1)), chunks.at(-1)?.error?.code]).toEqual(["1 2 3 ", code]);
    expect(chunks.flatMap(({ choices }) => choices?.[0]?.finish_reason ?? [])).toEqual([]);
  });

  test("ends an answer stopped by moderation as filtered and keeps its text", async () => {
    const gateway = await start();
    gateway.simulator.fault({ kind: "retract", after: 3 });
    const chunks = parseChunks(
      await (await postChat(gateway, chatBody("sim:repeat=20", { stream: true }))).text(),
    );
    expect([contentOf(chunks), chunks.at(-1)?.choices[0]?.finish_reason]).toEqual([
      "1 2 3 ",
      "content_filter",
    ]);
  });
});

test("completes an answer after `done` and a proper end of the response, and records drift", async () => {
  const steps = [
    { do: "text" as const, content: ["all I have"] },
    { do: "raw" as const, frame: { event: "done" } },
    { do: "no-trailer" as const },
  ];
  const gateway = await start({ simulator: { script: () => steps } });
  const answer = JSON.parse(await (await postChat(gateway, chatBody("?"))).text());
  expect(answer.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "all I have" } });
  expect(gateway.drift.entries()).toEqual([{ kind: "event", name: "no-all_done", count: 1 }]);
});

describe("models", () => {
  const bodyOf = (gateway: Awaited<ReturnType<typeof start>>) =>
    JSON.parse(JSON.stringify(gateway.simulator.calls.findLast(({ path }) => /\/stream$/.test(path))?.body));

  test.each([
    ["kimi", { kimiplus_id: "kimi", use_search: true, use_math: false, use_research: false }],
    ["moonshot-v1", { kimiplus_id: "kimi" }],
    ["kimi-nosearch", { kimiplus_id: "kimi", use_search: false }],
    ["kimi-k1", { kimiplus_id: "crm40ee9e5jvhsn7ptcg", use_math: false }],
    ["kimi-search-k1-math-silent", { kimiplus_id: "crm40ee9e5jvhsn7ptcg", use_math: true, use_search: true }],
    ["kimi-math-nosearch", { kimiplus_id: "kimi", use_math: true, use_search: false }],
    ["coo6l3pkqq4ri39f36bg", { kimiplus_id: "coo6l3pkqq4ri39f36bg" }],
    ["coo6l3pkqq4ri39f36bg-nosearch", { kimiplus_id: "coo6l3pkqq4ri39f36bg", use_search: false }],
  ])("%s", async (model, expected) => {
    const gateway = await start();
    expect((await postChat(gateway, chatBody("hello", { model }))).status).toBe(200);
    expect(bodyOf(gateway)).toMatchObject(expected);
    const created = gateway.simulator.calls.find(({ path }) => path === "/api/chat")?.body;
    expect(created).toEqual({
      name: "未命名会话",
      is_example: false,
      enter_method: "new_chat",
      kimiplus_id: expected.kimiplus_id,
    });
  });

  test("answers 404 for an unknown model and lists the known ones", async () => {
    const gateway = await start();
    expect((await postChat(gateway, chatBody("hello", { model: "kimi-moon" }))).status).toBe(404);
    const listed: string[] = [];
    for await (const { id } of gateway.client.models.list()) listed.push(id);
    expect(listed).toEqual(
      expect.arrayContaining(["kimi", "kimi-search", "kimi-k1", "kimi-math", "kimi-research"]),
    );
  });

  test("routes names of the current protocol to its own upstream and agent ids to this one", async () => {
    const gateway = await startGateway({
      upstreams: (simulator) => [
        { name: "old", kind: "kimi-legacy", baseUrl: simulator.url, ...simulator.issue() },
      ],
    });
    const servedBy = async (model: string) =>
      (await postChat(gateway, chatBody("hello", { model }))).headers.get("x-moonbridge-upstream");
    for (const model of ["kimi", "kimi-search", "k2d6-chat"]) expect(await servedBy(model)).toBe("me");
    for (const model of ["kimi-k1", "coo6l3pkqq4ri39f36bg"]) expect(await servedBy(model)).toBe("old");
  });

  test("refuses research without a request to Kimi's chat once its quota is used up", async () => {
    const gateway = await start();
    const send = () => postChat(gateway, chatBody("hello", { model: "kimi-research" }));
    for (let n = 0; n < 3; n++) expect((await send()).status).toBe(200);
    // Side requests of UIs are no research.
    const messages = sideRequests["Open WebUI: title"];
    expect((await postChat(gateway, { model: "kimi-research", messages })).status).toBe(200);
    expect(bodyOf(gateway)).toMatchObject({ use_research: false, use_search: false });
    const refused = await send();
    expect([refused.status, refused.headers.get("x-should-retry")]).toEqual([429, "false"]);
    expect(JSON.parse(await refused.text()).error.code).toBe("insufficient_quota");
    expect(gateway.simulator.calls.filter(({ path }) => path === "/api/chat").length).toBe(4);
  });
});

describe("requests to Kimi", () => {
  test("have wrapped URLs and an origin", async () => {
    const gateway = await start();
    await postChat(gateway, chatBody("sim:say=see https://example.org/a.", { use_search: false }));
    const { body, headers } = gateway.simulator.calls.findLast(({ path }) => /\/stream$/.test(path)) ?? {};
    expect(body).toEqual({
      kimiplus_id: "kimi",
      messages: [
        {
          role: "user",
          content: 'sim:say=see <url id="" type="url" status="" title="" wc="">https://example.org/a</url>.',
        },
      ],
      refs: [],
      refs_file: [],
      use_math: false,
      use_research: false,
      use_search: false,
      extend: { sidebar: true },
    });
    const { url } = gateway.simulator;
    expect(headers).toMatchObject({
      origin: url,
      referer: `${url}/`,
      "user-agent": expect.stringMatching(/^Moonbridge\//),
    });
  });

  test("send file bytes to the storage without a token, and wait for a file that is slow to arrive", async () => {
    const gateway = await start();
    const file = { filename: "slow.pdf", file_data: "data:application/pdf;base64,JVBERg==" };
    const content = [
      { type: "text", text: "What is it?" },
      { type: "file", file },
    ];
    const response = await postChat(gateway, { model: "kimi", messages: [{ role: "user", content }] });
    expect([response.status, response.ok ? "" : await response.text()]).toEqual([200, ""]);
    const { calls } = gateway.simulator;
    const put = calls.find(({ method }) => method === "PUT");
    expect(put?.headers.authorization).toBeUndefined();
    expect(calls.filter(({ path }) => path === "/api/file").length).toBe(2);
    const id = expect.stringMatching(/^[0-9a-v]{20}$/);
    expect(calls.findLast(({ path }) => /\/stream$/.test(path))?.body).toMatchObject({
      messages: [{ content: "What is it?" }],
      refs: [id],
      refs_file: [{ id, name: "slow.pdf", done: true, parse_status: "success" }],
    });
  });

  test.each(["ftp://127.0.0.1/x", "nonsense", ""])(
    "send no file to an invalid storage URL: “%s”",
    async (url) => {
      const server = createServer((_request, response) => {
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ url, id: "x" }));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => void server.close());
      const gateway = await start({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
      const content = [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }];
      const response = await postChat(gateway, { model: "kimi", messages: [{ role: "user", content }] });
      expect(JSON.parse(await response.text()).error).toMatchObject({
        code: "upstream_protocol",
        message: expect.stringMatching(/no address/),
      });
    },
  );
});

test.each([true, false])(
  "an access token that ends during the answer is renewed, and the error says so; streamed: %s",
  async (stream) => {
    const gateway = await start();
    gateway.simulator.fault({ kind: "error-late", after: 3, code: "unauthenticated" });
    const body = await (await postChat(gateway, chatBody("sim:repeat=9", { stream }))).text();
    expect(body).toContain("Moonbridge has renewed it: send the message again");
    expect(gateway.simulator.counts().legacyRefreshes).toBe(1);
    expect((await postChat(gateway, chatBody("sim:repeat=3"))).status).toBe(200);
    expect(gateway.simulator.counts().legacyRefreshes).toBe(1);
  },
);
