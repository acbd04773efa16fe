/** A Markdown table that reads well as plain text too: cells are padded, columns of numbers end flush right. */

/**
 * @param header names of the columns
 * @param rows cells as text or numbers, as many as the header has; a column of nothing but numbers is aligned right
 */
export function markdownTable(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map((cell) => String(cell).replaceAll('|', '\\|')));
  const rightAligned = header.map((_, column) => rows.length > 0 && rows.every((row) => /^[-\d]/.test(String(row[column]))));
  const widths = header.map((name, column) => Math.max(3, name.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (rightAligned[column] ? (row[column] ?? '').padStart(width) : (row[column] ?? '').padEnd(width))).join(' | ')} |`;
  const rule = widths.map((width, column) => (rightAligned[column] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(header), line(rule), ...cells.map(line)].join('\n');
}
