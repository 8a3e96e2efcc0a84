import fc from "fast-check";
import { expect, test } from "vitest";
import { TextSealer } from "../../src/lib/text-sealer.js";

const sealer = new TextSealer("a secret of the server");

test("opens what was sealed for the same purpose, also in another process", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const sealed = sealer.seal("summary", text);
      const expected = Buffer.from(text).toString();
      expect(sealed).toMatch(/^mb1\.[\w-]+$/);
      expect(new TextSealer("a secret of the server").open("summary", sealed)).toBe(expected);
    }),
  );
});

test("opens nothing that was sealed for another purpose or by another server", () => {
  const sealed = sealer.seal("summary", "text");
  expect(sealer.open("reasoning", sealed)).toBeUndefined();
  expect(new TextSealer("another").open("summary", sealed)).toBeUndefined();
});

test("opens nothing that was altered at any place", () => {
  const sealed = sealer.seal("summary", "text");
  for (let index = 0; index < sealed.length; index++) {
    const other = sealed[index] === "A" ? "B" : "A";
    expect(sealer.open("summary", sealed.slice(0, index) + other + sealed.slice(index + 1))).toBeUndefined();
    expect(sealer.open("summary", sealed.slice(0, index))).toBeUndefined();
  }
  for (const text of ["", "mb1.", "mb1.AAAA", "\u{1f600}", `${sealed}=`, ` ${sealed}`])
    expect(sealer.open("summary", text)).toBeUndefined();
});

test("a signature is that of one text and one purpose", () => {
  const signature = sealer.sign("thinking", "text");
  expect(sealer.sign("thinking", "text")).toBe(signature);
  expect(sealer.isSigned("thinking", "text", signature)).toBe(true);
  expect(sealer.isSigned("thinking", "texts", signature)).toBe(false);
  expect(sealer.isSigned("summary", "text", signature)).toBe(false);
  for (const other of ["", "mb1.", signature.slice(0, -1), `${signature}A`, "EqQBCgIYAhIM"])
    expect(sealer.isSigned("thinking", "text", other)).toBe(false);
});
