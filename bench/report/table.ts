/** A table of the report: a title, columns, rows of text, and what is to be known beside it. */
export type Table = {
  title: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  notes: readonly string[];
};

/** As text for a terminal; Markdown shows it as a table too. */
export function render({ title, columns, rows, notes }: Table): string {
  const widths = columns.map((column, at) =>
    Math.max(width(column), ...rows.map((row) => width(row[at] ?? ""))),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((size, at) => pad(cells[at] ?? "", size)).join(" | ")} |`;
  const rule = `| ${widths.map((size) => "-".repeat(size)).join(" | ")} |`;
  const below = notes.length > 0 ? `\n\n${notes.join("\n")}` : "";
  return `### ${title}\n\n${[line(columns), rule, ...rows.map(line)].join("\n")}${below}\n`;
}

/** A number as people read it: three digits that count, none beyond the point from a hundred on. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

function pad(cell: string, size: number): string {
  return cell + " ".repeat(Math.max(0, size - width(cell)));
}

function width(text: string): number {
  return [...text].length;
}
