import { describe, expect, test } from "vitest";
import type { StoredSession } from "../../../src/core/session.js";
import type { CreateStorage } from "./fixtures.js";

const session = (sha256: string, fields: Partial<StoredSession> = {}): StoredSession => ({
  ...{ sha256, key: "console", scopes: ["chat", "admin"], createdAt: 10, expiresAt: 100 },
  ...fields,
});

/** The contract of sessions and of the codes that make one. */
export function testSessions(createStorage: CreateStorage): void {
  describe("sessions", () => {
    test("are found until they expire or are removed, also after the store was closed", async () => {
      const open = await createStorage();
      const store = await open();
      const ofKey = session("b", { key: "mine", keySha256: "00", scopes: ["admin"] });
      await store.sessions.addSession(session("a"), 9);
      await store.sessions.addSession(ofKey, 9);
      await store.close();
      const { sessions } = await open();
      expect(await sessions.findSession("a", 99)).toEqual(session("a"));
      expect(await sessions.findSession("b", 99)).toEqual(ofKey);
      expect(await sessions.findSession("a", 100)).toBeUndefined();
      expect(await sessions.findSession("c", 0)).toBeUndefined();
      expect(await sessions.removeSession("a")).toBe(true);
      expect(await sessions.removeSession("a")).toBe(false);
      expect(await sessions.findSession("a", 0)).toBeUndefined();
      expect(await sessions.removeSessions()).toBe(1);
      expect(await sessions.findSession("b", 0)).toBeUndefined();
    });

    test("are at most so many: the oldest are removed, and those that have expired", async () => {
      const { sessions } = await (await createStorage())();
      for (const [index, name] of ["a", "b", "c"].entries())
        await sessions.addSession(session(name, { createdAt: index, expiresAt: 50 }), 2);
      expect(await sessions.findSession("a", 0)).toBeUndefined();
      expect(await sessions.findSession("b", 0)).toBeDefined();
      await sessions.addSession(session("d", { createdAt: 50 }), 2);
      expect(await sessions.findSession("c", 0)).toBeUndefined();
      expect(await sessions.findSession("d", 0)).toBeDefined();
    });

    test("are made by a code once, of two processes by one, and only before it expires", async () => {
      const open = await createStorage();
      const [mine, yours] = [await open(), await open()];
      await mine.sessions.addLoginCode("a", 100, 0);
      await mine.sessions.addLoginCode("b", 100, 0);
      expect(await yours.sessions.takeLoginCode("c", 0)).toBe(false);
      expect(await yours.sessions.takeLoginCode("a", 99)).toBe(true);
      expect(await mine.sessions.takeLoginCode("a", 99)).toBe(false);
      expect(await mine.sessions.takeLoginCode("b", 100)).toBe(false);
    });
  });
}
