import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ContentWatcher } from "../../src/lib/content-watcher.js";
import { waitUntil } from "../gateway.js";

const interval = 10;
/** Resolves after several looks at the files. */
const severalLooks = () => new Promise((resolve) => setTimeout(resolve, 20 * interval));

/** Watches `config.json` in a new folder; `changes` counts the calls. */
function watchConfig(accepts: () => boolean = () => true) {
  const folder = mkdtempSync(join(tmpdir(), "moonbridge-watch-"));
  const path = join(folder, "config.json");
  let changes = 0;
  const onChange = async () => {
    changes++;
    return accepts();
  };
  const watcher = new ContentWatcher({ paths: () => [path], interval, maxBytes: 1_000, onChange });
  onTestFinished(() => watcher.stop());
  /** Resolves when `change` was noticed once, and not again. */
  const expectNoticed = async (change: () => void) => {
    const before = changes;
    change();
    await waitUntil(() => changes > before);
    await severalLooks();
    expect(changes).toBe(before + 1);
  };
  return { folder, path, expectNoticed, changes: () => changes, watcher };
}

test("a file is noticed that is created, written in place, replaced by rename, deleted and written again", async () => {
  const { folder, path, expectNoticed } = watchConfig();
  await expectNoticed(() => {});
  await expectNoticed(() => writeFileSync(path, "one"));
  await expectNoticed(() => writeFileSync(path, "two"));
  await expectNoticed(() => {
    writeFileSync(join(folder, "new"), "three");
    renameSync(join(folder, "new"), path);
  });
  await expectNoticed(() => rmSync(path));
  await expectNoticed(() => writeFileSync(path, "three"));
});

test("a mounted ConfigMap is noticed, whose link ..data is swapped", async () => {
  const { folder, path, expectNoticed } = watchConfig();
  const swap = (name: string) => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "config.json"), name);
    symlinkSync(name, join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  };
  swap("..2026_01");
  symlinkSync(join("..data", "config.json"), path);
  await expectNoticed(() => {});
  await expectNoticed(() => swap("..2026_02"));
});

test("a file that is rewritten with the same content is not noticed", async () => {
  const { path, expectNoticed, changes } = watchConfig();
  writeFileSync(path, "one");
  await expectNoticed(() => {});
  for (let round = 0; round < 5; round++) {
    writeFileSync(path, "one");
    await severalLooks();
  }
  expect(changes()).toBe(1);
});

test("what is no file, or too large, is left alone until it is a file", async () => {
  const { path, expectNoticed, changes } = watchConfig();
  mkdirSync(path);
  await severalLooks();
  rmdirSync(path);
  writeFileSync(path, "x".repeat(1_001));
  await severalLooks();
  expect(changes()).toBe(0);
  await expectNoticed(() => writeFileSync(path, "x".repeat(1_000)));
});

test("contents that were not accepted are tried again until they are", async () => {
  let isAccepted = false;
  const { changes } = watchConfig(() => isAccepted);
  await waitUntil(() => changes() > 3);
  isAccepted = true;
  await severalLooks();
  const before = changes();
  await severalLooks();
  expect(changes()).toBe(before);
});

test("after stop nothing is noticed", async () => {
  const { path, expectNoticed, changes, watcher } = watchConfig();
  await expectNoticed(() => {});
  watcher.stop();
  writeFileSync(path, "one");
  await severalLooks();
  expect(changes()).toBe(1);
});
