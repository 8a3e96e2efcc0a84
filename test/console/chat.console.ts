import { expect, test } from "vitest";
import { ask, goTo, openConsole } from "./open-console.js";

test("from the first start to the first answer it takes at most four clicks", async () => {
  const { page, complaints } = await openConsole({ gateway: { upstreams: () => [] } });
  await page.evaluate(`globalThis.clicks = 0; addEventListener("click", () => clicks++, true)`);
  await page.getByRole("link", { name: "Chat", exact: true }).click();
  await ask(page, "sim:say=CANARY-first-answer");
  await page.locator(".answer .markdown").getByText("CANARY-first-answer").waitFor();
  expect(await page.evaluate("clicks")).toBeLessThanOrEqual(4);
  expect(complaints).toEqual([]);
});

test("shows reasoning folded, sources as cards, tokens and times", async () => {
  const { page } = await openConsole();
  await goTo(page, "chat");
  await ask(page, "sim:think sim:search CANARY question");
  const answer = page.locator(".answer");
  await answer.getByText(/tokens/).waitFor();
  expect(await answer.locator(".reasoning").isVisible()).toBe(false);
  await answer.getByRole("button", { name: "Reasoning" }).click();
  await answer.locator(".reasoning").waitFor();
  const sources = answer.getByRole("region", { name: "Sources" }).getByRole("link");
  expect(await sources.count()).toBeGreaterThan(0);
  expect(await sources.first().getAttribute("rel")).toBe("noreferrer noopener");
});

test("Stop ends the answer at Kimi, keeps what has come, and the next message is answered", async () => {
  const { page, gateway } = await openConsole();
  await goTo(page, "chat");
  await ask(page, "sim:repeat=2000 sim:slow=20");
  await page.locator(".answer .markdown").getByText("5 6").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("Stopped.").waitFor();
  expect(await page.locator(".answer .markdown").textContent()).toContain("1 2 3");
  await expect
    .poll(() => gateway.simulator.calls.some(({ path }) => path.endsWith("/CancelChat")))
    .toBe(true);
  await ask(page, "sim:say=CANARY-next");
  await page.locator(".answer .markdown").getByText("CANARY-next").waitFor();
});

test("a stream that is cut off is shown as failed, with what came, why and what to do", async () => {
  const { page } = await openConsole();
  await goTo(page, "chat");
  await ask(page, "sim:repeat=20 sim:fault=cut,3");
  const failure = page.getByRole("alert");
  await failure.getByText("The answer failed").waitFor();
  expect(await failure.textContent()).toMatch(/Why: .+What to do: .+/);
  expect(await page.locator(".answer .markdown").textContent()).toContain("1");
});

test("an edited message replaces what followed; an answer can be made again", async () => {
  const { page } = await openConsole();
  await goTo(page, "chat");
  await ask(page, "sim:say=one");
  await page.locator(".answer .markdown").getByText("one").waitFor();
  await page.getByRole("button", { name: "Answer again" }).click();
  await page.locator(".answer .markdown").getByText("one").waitFor();
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("textbox", { name: "Edit" }).fill("sim:say=two");
  await page.getByRole("button", { name: "Send again" }).click();
  await page.locator(".answer .markdown").getByText("two").waitFor();
  expect(await page.locator(".answer").count()).toBe(1);
});

test("takes a dropped picture and an uploaded file, and the request as code names both", async () => {
  const { page } = await openConsole();
  await goTo(page, "chat");
  const pixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
  await page.locator("input[type=file]").setInputFiles([
    { name: "moon.png", mimeType: "image/png", buffer: Buffer.from(pixel, "base64") },
    { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("CANARY notes") },
  ]);
  await page.getByRole("button", { name: "Remove notes.txt" }).waitFor();
  await ask(page, "What is this?");
  await page
    .locator(".answer")
    .getByText(/tokens/)
    .waitFor();
  await page.getByRole("button", { name: "As code" }).click();
  const code = await page.locator(".chat-aside pre").textContent();
  expect(code).toContain('"image_url"');
  expect(code).toContain('"file_id"');
  expect(code).not.toContain("sk-");
});

test("conversations stay in the browser after a reload, and can be deleted there", async () => {
  const { page } = await openConsole();
  await goTo(page, "chat");
  await ask(page, "sim:say=CANARY-kept");
  await page.locator(".answer .markdown").getByText("CANARY-kept").waitFor();
  await page.getByRole("button", { name: "Answer again" }).waitFor();
  await page.reload();
  await page.locator(".answer .markdown").getByText("CANARY-kept").waitFor();
  await page.getByRole("button", { name: "Conversations" }).click();
  await page.getByRole("button", { name: /^Delete/ }).click();
  expect(await page.evaluate(`localStorage.getItem("moonbridge.conversations")`)).toBe("[]");
});
