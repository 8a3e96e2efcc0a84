import { stripVTControlCharacters, styleText } from "node:util";
import type { Command } from "commander";
import { type CommandExample, commandExamples, helpMessages } from "../i18n/help-messages.js";
import type { LocalizedText } from "../i18n/text.js";
import { columnsOf, language, padColumns, translate } from "./print.js";

/**
 * Gives a command and its subcommands their help in the language of the process: descriptions and examples of the
 * catalogue, by the command's path such as `keys add`. A command that is not in it keeps its own description.
 */
export function localizeHelp(command: Command, parentPath: readonly string[] = []): void {
  command
    .helpOption("-h, --help", translate(helpMessages.help))
    .configureHelp({ styleTitle, displayWidth: (text) => columnsOf(stripVTControlCharacters(text)) });
  if (command.commands.length > 0) command.helpCommand("help [command]", translate(helpMessages.help));
  for (const child of command.commands) {
    const path = [...parentPath, child.name()];
    const [description, examples] = [descriptions[path.join(" ")], examplesByPath[path.join(" ")]];
    if (description !== undefined) child.description(translate(description));
    if (examples !== undefined) child.addHelpText("after", formatExamples(examples));
    localizeHelp(child, path);
  }
}

const descriptions: Readonly<Record<string, LocalizedText>> = helpMessages.commands;
const examplesByPath: Readonly<Record<string, readonly CommandExample[]>> = commandExamples;
const chineseTitles: Readonly<Record<string, string>> = helpMessages.titles;

function styleTitle(title: string): string {
  const translated = language === "zh" ? (chineseTitles[title] ?? title) : title;
  return styleText("bold", translated, { stream: process.stdout });
}

function formatExamples(examples: readonly CommandExample[]): string {
  const width = Math.max(...examples.map(([command]) => columnsOf(command)));
  const lines = examples.map(
    ([command, meaning]) => `  ${padColumns(command, width)}  ${translate(meaning)}`,
  );
  return `\n${styleTitle(translate(helpMessages.examplesTitle))}\n${lines.join("\n")}`;
}
