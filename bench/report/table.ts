/** A table of the report; `notes` are the lines of text below it. */
export type Table = {
  title: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  notes: readonly string[];
};

/** The table in Markdown, aligned for a terminal. */
export function renderTable({ title, columns, rows, notes }: Table): string {
  const widths = columns.map((column, index) =>
    Math.max(textWidth(column), ...rows.map((row) => textWidth(row[index] ?? ""))),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, index) => pad(cells[index] ?? "", width)).join(" | ")} |`;
  const separator = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  const noteLines = notes.length > 0 ? `\n\n${notes.join("\n")}` : "";
  return `### ${title}\n\n${[line(columns), separator, ...rows.map(line)].join("\n")}${noteLines}\n`;
}

/** Three significant digits, and no decimals from 100 on; `–` if it is not finite. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

function pad(cell: string, width: number): string {
  return cell + " ".repeat(Math.max(0, width - textWidth(cell)));
}

function textWidth(text: string): number {
  return [...text].length;
}
