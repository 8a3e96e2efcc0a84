import { expect, test } from "vitest";
import { chatBody, postChat, startGateway, waitUntil } from "../gateway.js";

test("a request that waits for its conversation when the server stops gets shutting_down", async () => {
  const gateway = await startGateway({ server: { shutdownSeconds: 1 } });
  const first = await (await postChat(gateway, chatBody("hello"))).json();
  const conversation_id = Object(first).conversation_id;
  const ask = (content: string) => postChat(gateway, chatBody(content, { conversation_id }));
  const running = ask("sim:slow=50 sim:repeat=10000");
  const chatCalls = () => gateway.simulator.calls.filter(({ path }) => path.endsWith("ChatService/Chat"));
  await waitUntil(() => chatCalls().length === 2);
  const waiting = ask("Next");
  await new Promise((resolve) => setTimeout(resolve, 200));
  const stopped = gateway.stop();
  for (const response of await Promise.all([running, waiting])) {
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: "shutting_down" } });
  }
  await stopped;
});
