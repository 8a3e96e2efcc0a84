import type { LocalizedText } from "../i18n/text.js";
import { columnsOf, padColumns, printLine, span, translate } from "./print.js";

/** Prints rows under their titles, in columns as wide as their widest cell. */
export function printTable(titles: readonly LocalizedText[], rows: readonly (readonly string[])[]): void {
  const header = titles.map(translate);
  const widths = header.map((title, column) =>
    Math.max(...[title, ...rows.map((cells) => cells[column] ?? "")].map(columnsOf)),
  );
  const toLine = (cells: readonly string[]) =>
    cells
      .map((cell, column) => padColumns(cell, widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  printLine(span("title", toLine(header)));
  for (const cells of rows) printLine(toLine(cells));
}
