import { expect, test } from "vitest";
import { chatBody, type Gateway } from "../gateway.js";
import { goTo, openConsole } from "./open-console.js";

function chatWith(gateway: Gateway, key: string): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(chatBody("CANARY")),
  });
}

test("a key is made, shown once, works, and is refused after it was revoked", async () => {
  const { page, gateway } = await openConsole();
  await goTo(page, "keys");
  await page.getByRole("button", { name: "Make a key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("phone");
  await dialog.getByRole("button", { name: "Limits" }).click();
  await dialog.getByLabel("Requests a day").fill("500");
  await dialog.getByRole("button", { name: "Make a key" }).click();
  const key = (await dialog.locator("pre").textContent()) ?? "";
  expect(key).toMatch(/^sk-/);
  await dialog.getByRole("button", { name: "Done" }).click();
  const row = page.getByRole("row", { name: /phone/ });
  await row.getByText("0 of 500 requests today").waitFor();
  expect(await page.content()).not.toContain(key);

  const answer = await chatWith(gateway, key);
  await answer.text();
  expect(answer.status).toBe(200);

  await row.getByRole("button", { name: /Revoke/ }).click();
  const question = page.getByRole("dialog");
  await question.getByText("Revoke the key “phone”?").waitFor();
  await question.getByRole("button", { name: "Revoke" }).click();
  await row.waitFor({ state: "detached" });
  expect((await chatWith(gateway, key)).status).toBe(401);
});

test("the page of a client makes a key, fills it in, and says when its first request arrives", async () => {
  const { page, gateway } = await openConsole();
  await goTo(page, "clients/codex");
  await page.getByRole("button", { name: "Make a key for Codex" }).click();
  await page.getByText("Waiting for the first request with the key “codex”").waitFor();
  const steps = (await page.getByRole("region", { name: "Terminal" }).textContent()) ?? "";
  const key = /MOONBRIDGE_KEY=(\S+?)codex/.exec(steps.replace(/\s+/g, ""))?.[1] ?? "";
  expect(await page.getByRole("region", { name: "~/.codex/config.toml" }).textContent()).toContain(
    `base_url = "${gateway.url}/v1"`,
  );
  const answer = await chatWith(gateway, key);
  await answer.text();
  await page.getByText("It arrived: “codex” has asked").waitFor();
  await page.getByRole("link", { name: "See the request" }).click();
  await page.getByText("POST /v1/chat/completions").waitFor();
});
