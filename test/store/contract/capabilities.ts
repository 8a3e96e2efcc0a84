import { describe, expect, test } from "vitest";
import type { StoredCapability } from "../../../src/core/capabilities.js";
import type { CreateStorage } from "./fixtures.js";

const capability = (name: string, fields: Partial<StoredCapability> = {}): StoredCapability => ({
  ...{ account: "me", name, value: false, source: "probe", changedAt: 10 },
  ...fields,
});

/** The contract of the capabilities of accounts. */
export function testCapabilities(createStorage: CreateStorage): void {
  describe("capabilities", () => {
    test("are those of one account, by name, also after the store was closed", async () => {
      const open = await createStorage();
      const store = await open();
      const mine = [capability("a", { value: true, source: "use" }), capability("b", { value: 2.5 })];
      await store.capabilities.saveCapabilities([...mine].reverse());
      await store.capabilities.saveCapabilities([capability("a", { account: "you" })]);
      await store.close();
      const { capabilities } = await open();
      expect(await capabilities.listCapabilities("me")).toEqual(mine);
      expect(await capabilities.listCapabilities("you")).toEqual([capability("a", { account: "you" })]);
      expect(await capabilities.listCapabilities("nobody")).toEqual([]);
    });

    test("are replaced by a newer value of the same name, for every process", async () => {
      const open = await createStorage();
      const [mine, yours] = [await open(), await open()];
      await mine.capabilities.saveCapabilities([capability("a"), capability("b")]);
      const newer = capability("a", { value: true, source: "use", changedAt: 20 });
      await yours.capabilities.saveCapabilities([newer]);
      expect(await mine.capabilities.listCapabilities("me")).toEqual([newer, capability("b")]);
    });
  });
}
