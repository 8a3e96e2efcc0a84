import { resolve } from "node:path";
import { backUp } from "../admin/backup.js";
import { loadAppConfig } from "../app/load-config.js";
import { printLine } from "./print.js";

/** `moonbridge backup FOLDER`: copies the database and the uploaded files into a new folder; a server may go on running. */
export async function backup(folder: string, options: { config?: string }): Promise<void> {
  const config = await loadAppConfig({ config: options.config }, process.env);
  const { database, filesFolder, files } = await backUp(config, resolve(folder));
  printLine(`The database is in ${database},`);
  printLine(`${files} uploaded files are in ${filesFolder}.`);
  printLine("Logins and API keys' hashes are in the copy: keep it where only you can read it.");
  if (config.encryptionKeys.length > 0)
    printLine("Its credentials are encrypted: keep MOONBRIDGE_ENCRYPTION_KEY too, which is not in the copy.");
}
