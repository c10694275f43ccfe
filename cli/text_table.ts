export interface TableText {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  /** Width of the terminal; cells are shortened to fit. 0 shortens none. */
  readonly widthMax?: number;
}

const gap = '  ';
const cellWidthMin = 8;

/** A table as text: a header, a line, the rows; numbers to the right. Ends with a newline. */
export function textTable({ columns, rows, widthMax = 0 }: TableText): string {
  const cells = rows.map((row) => row.map(cellText));
  const isNumber = columns.map((_, column) =>
    rows.every((row) => row[column] === null || isNumeric(row[column])),
  );
  const widths = fitted(
    columns.map((name, column) =>
      cells.reduce((width, row) => Math.max(width, row[column]!.length), name.length),
    ),
    widthMax,
  );
  const line = (texts: readonly string[]) =>
    texts
      .map((text, column) => {
        const cell = cut(text, widths[column]!);
        return isNumber[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
      })
      .join(gap)
      .trimEnd();
  const ruler = widths.map((width) => '─'.repeat(width)).join(gap);
  return `${[line(columns), ruler, ...cells.map(line)].join('\n')}\n`;
}

/** One value on one line, with nothing that would move a terminal's cursor. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^-?\d{16,}$/.test(value));
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** Takes from the widest columns until all fit. */
function fitted(widths: number[], widthMax: number): number[] {
  if (widthMax <= 0) return widths;
  let excess = widths.reduce((sum, width) => sum + width + gap.length, -gap.length) - widthMax;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= cellWidthMin) break;
    const index = widths.indexOf(widest);
    const second = Math.max(cellWidthMin, ...widths.filter((width) => width < widest));
    const taken = Math.min(excess, Math.max(1, widest - second));
    widths[index] = widest - taken;
    excess -= taken;
  }
  return widths;
}
