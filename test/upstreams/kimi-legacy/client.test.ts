import { expect, onTestFinished, test } from "vitest";
import { type Fault, startSimulator } from "../../../simulator/index.js";
import { ProtocolDrift } from "../../../src/observability/protocol-drift.js";
import { LegacyClient } from "../../../src/upstreams/kimi-legacy/client.js";

const busyBody = JSON.stringify({ error_type: "chat.user_stream_pushing", message: "…" });

test.each<[fault: Fault, error: object]>([
  [
    { kind: "error", code: "failed_precondition", reason: "chat.user_stream_pushing" },
    { code: "account_busy", retryable: true, retryAfterSeconds: 2, upstreamCode: "chat.user_stream_pushing" },
  ],
  [
    { kind: "http", status: 200, body: busyBody },
    { code: "account_busy", retryAfterSeconds: 2 },
  ],
  [
    { kind: "http", status: 429, body: busyBody, retryAfter: 9 },
    { code: "account_busy", retryAfterSeconds: 9 },
  ],
  [
    { kind: "http", status: 429, body: "{}" },
    { code: "rate_limited", retryAfterSeconds: 30 },
  ],
  [
    { kind: "http", status: 503, body: "" },
    { code: "upstream_overloaded", retryAfterSeconds: 5 },
  ],
  [{ kind: "expired" }, { code: "account_login_required", upstreamCode: "auth.token.invalid" }],
])("converts %j in place of a stream to an error", async (fault, error) => {
  const kimi = await startSimulator();
  const client = new LegacyClient({ baseUrl: kimi.url, idleTimeout: 1_000 }, new ProtocolDrift());
  onTestFinished(async () => {
    await client.close();
    await kimi.close();
  });
  const { accessToken } = kimi.issue();
  const { signal } = new AbortController();
  const { id } = await client.post("/api/chat", { name: "test" }, accessToken, signal);
  kimi.fault(fault);
  const body = { messages: [{ role: "user", content: "hello" }] };
  const stream = client.openStream(`/api/chat/${id}/completion/stream`, body, accessToken, signal);
  await expect(stream).rejects.toMatchObject({ name: "GatewayError", ...error });
});
