import { expect, test } from "vitest";
import { apiKey, chatBody, type Gateway, postChat, startGateway } from "../gateway.js";

async function scrapeMetrics(gateway: Gateway): Promise<string> {
  const response = await fetch(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${apiKey}` } });
  expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
  return response.text();
}

test("/metrics counts requests, answers by outcome, account states and protocol drift", async () => {
  const gateway = await startGateway();
  await (await postChat(gateway, chatBody("hello"))).text();
  gateway.simulator.fault({ kind: "cut", after: 2 });
  await (await postChat(gateway, chatBody("hello", { stream: true }))).text();
  gateway.simulator.fault({ kind: "unknown" });
  await (await postChat(gateway, chatBody("sim:repeat=20"))).text();
  await fetch(`${gateway.url}/elsewhere?CANARY`);
  await expect.poll(() => scrapeMetrics(gateway)).toMatch(/requests_total\{.*status="404"\} 1/);
  const text = await scrapeMetrics(gateway);
  for (const line of [
    'moonbridge_requests_total{route="/v1/chat/completions",method="POST",status="200"} 3',
    'moonbridge_answers_total{upstream="me",outcome="ok"} 2',
    'moonbridge_answers_total{upstream="me",outcome="upstream_cut"} 1',
    'moonbridge_account_state{upstream="me",state="ok"} 1',
    'moonbridge_account_state{upstream="me",state="quota"} 0',
    'moonbridge_account_running{upstream="me"} 0',
    'moonbridge_first_word_seconds_count{upstream="me"} 3',
    'moonbridge_drift_total{kind="block",name="hologram"} 1',
  ])
    expect(text.split("\n")).toContain(line);
  expect(text).not.toMatch(/CANARY|elsewhere|eyJ/);
});
