/** How a benchmark is shown: a table for people, one line of JSON for machines. */

/**
 * One line of a report.
 *
 * @typedef {object} Figure
 * @property {string} name key in the JSON, camelCase
 * @property {string} label what people read
 * @property {number} value
 * @property {string} unit
 * @property {{ atMost: number } | { atLeast: number }} [target]
 * @property {{ label: string, value: number }} [beside] what it is measured against, in the same unit
 */

/**
 * @typedef {object} Report
 * @property {string} name
 * @property {string} title
 * @property {Figure[]} figures
 * @property {string[]} [notes]
 */

/** @param {Figure} figure whether the target is met; true without one */
export function meetsTarget({ value, target }) {
  if (!target) return true;
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
}

/**
 * The form that every benchmark ends with under `--json`.
 *
 * @param {Report} report
 * @param {{ judge: boolean }} options a quick run is too small to be judged: its targets count as met
 */
export function toJson({ name, figures }, { judge }) {
  const values = figures.flatMap(({ name: figure, value, beside }) => [
    [figure, value],
    ...(beside ? [[`${figure}Beside`, beside.value]] : []),
  ]);
  return {
    name,
    figures: Object.fromEntries(values.map(([figure, value]) => [figure, Number(value.toPrecision(6))])),
    targets: Object.fromEntries(figures.filter(({ target }) => target).map(({ name: figure, target }) => [figure, target])),
    ok: !judge || figures.every(meetsTarget),
  };
}

/** @param {Report} report the table that people read */
export function toTable({ title, figures, notes = [] }) {
  const header = ['', 'measured', 'target', '', 'beside', '', 'ratio'];
  const rows = figures.map((figure) => [
    figure.label,
    `${round(figure.value)} ${figure.unit}`,
    !figure.target ? '' : 'atMost' in figure.target ? `≤ ${round(figure.target.atMost)}` : `≥ ${round(figure.target.atLeast)}`,
    !figure.target ? '' : meetsTarget(figure) ? 'met' : 'MISSED',
    figure.beside ? `${round(figure.beside.value)} ${figure.unit}` : '',
    figure.beside?.label ?? '',
    figure.beside ? `${round(figure.value / figure.beside.value)} ×` : '',
  ]);
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column].length)));
  const isText = (column) => column === 0 || column === 3 || column === 5;
  const line = (row) =>
    row
      .map((cell, column) => (isText(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd();
  return [title, '', line(header), ...rows.map(line), ...notes.map((note) => `\n${note}`)].join('\n');
}

/** Three digits that count; whole from 100 on. */
function round(value) {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}
