import { resolve } from "node:path";
import { backUp } from "../admin/backup.js";
import { loadAppConfig } from "../app/load-config.js";
import { maintenanceMessages as messages } from "../i18n/maintenance-messages.js";
import { printLine } from "./print.js";

/** `moonbridge backup FOLDER`: copies the database and the uploaded files into a new folder; a server may go on running. */
export async function backup(folder: string, options: { config?: string }): Promise<void> {
  const config = await loadAppConfig({ config: options.config }, process.env);
  const { database, filesFolder, files } = await backUp(config, resolve(folder));
  printLine(messages.databaseCopied(database));
  printLine(messages.filesCopied(files, filesFolder));
  printLine(messages.keepPrivate);
  if (config.encryptionKeys.length > 0) printLine(messages.keepEncryptionKey);
}
