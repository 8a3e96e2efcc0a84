import { copyStores } from "../app/copy-stores.js";
import { loadAppConfig } from "../app/load-config.js";
import { describeStore, parseStoreLocation } from "../config/store-location.js";
import { maintenanceMessages as messages } from "../i18n/maintenance-messages.js";
import { printLine, span } from "./print.js";

/**
 * `moonbridge store copy FROM TO`: copies one store to another while no server runs. It can be run again where it was interrupted.
 * Exits with 1 if something is missing in the copy. Paths are relative to the current folder.
 */
export async function copy(from: string, to: string, options: { config?: string }): Promise<void> {
  const { encryptionKeys, files } = await loadAppConfig({ config: options.config }, process.env);
  const inCurrentFolder = { kind: "none", searched: [] } as const;
  const target = parseStoreLocation(to, inCurrentFolder);
  let isWhole = true;
  for await (const copied of copyStores(parseStoreLocation(from, inCurrentFolder), target, encryptionKeys)) {
    const isPartWhole = copied.to >= copied.from;
    printLine(span(isPartWhole ? "good" : "attention", messages.copiedPart(copied)));
    isWhole &&= isPartWhole;
  }
  printLine(isWhole ? messages.copyDone(describeStore(target)) : messages.copyIncomplete);
  printLine(messages.filesStay(files.folder));
  if (!isWhole) process.exitCode = 1;
}
