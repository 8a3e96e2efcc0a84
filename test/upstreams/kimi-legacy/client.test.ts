import { expect, onTestFinished, test } from "vitest";
import { type Fault, startSimulator } from "../../../simulator/index.js";
import { Drift } from "../../../src/observability/protocol-drift.js";
import { LegacyClient } from "../../../src/upstreams/kimi-legacy/client.js";

const pushing = JSON.stringify({ error_type: "chat.user_stream_pushing", message: "…" });

test.each<[fault: Fault, error: object]>([
  [
    { kind: "error", code: "failed_precondition", reason: "chat.user_stream_pushing" },
    { code: "account_busy", retryable: true, retryAfterSeconds: 2, upstreamCode: "chat.user_stream_pushing" },
  ],
  [
    { kind: "http", status: 200, body: pushing },
    { code: "account_busy", retryAfterSeconds: 2 },
  ],
  [
    { kind: "http", status: 429, body: pushing, retryAfter: 9 },
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
])("in place of a stream, %j is understood", async (fault, error) => {
  const kimi = await startSimulator();
  const client = new LegacyClient({ baseUrl: kimi.url, silence: 1_000 }, new Drift());
  onTestFinished(async () => {
    await client.close();
    await kimi.close();
  });
  const { accessToken } = kimi.issue();
  const { signal } = new AbortController();
  const { id } = await client.post("/api/chat", { name: "test" }, accessToken, signal);
  kimi.fault(fault);
  const body = { messages: [{ role: "user", content: "hello" }] };
  const stream = client.stream(`/api/chat/${id}/completion/stream`, body, accessToken, signal);
  await expect(stream).rejects.toMatchObject({ name: "GatewayError", ...error });
});
