/**
 * Log lines by how much text they hold: first their sizes are read, which costs little however long they are, then as many as fit.
 *
 * Lines are cut where they are made (`engine/run/run-output.ts`). What older versions and other writers have left is cut here.
 */

/** Longest message that is shown, characters; above what any setting allows, so that it only meets what was never cut. */
export const maxShownChars = 256 * 1024;

export interface LogSize {
  readonly seq: number;
  readonly bytes: number;
}

/** Column list of a size. */
export const logSize = `seq, ${bytesShown('message')} + ${bytesShown('fields')} as bytes`;

/** Column list of lines, in the form of `logTable`, with what is too long cut. */
export const shownLogColumns = `run_id, task_run_id, at, level,
  case when length(message) > ${maxShownChars}
    then substr(message, 1, ${maxShownChars}) || ' [' || (length(message) - ${maxShownChars}) || ' more characters were cut]' else message end as message,
  case when length(fields) > ${maxShownChars}
    then '{"cut":"' || length(fields) || ' characters of fields were left out"}' else fields end as fields`;

/** How many lines fit, in their order; at least the first. */
export function fittingLines(sizes: readonly Pick<LogSize, 'bytes'>[], maxBytes: number): number {
  let bytes = 0;
  const tooMuch = sizes.findIndex((size) => (bytes += size.bytes) > maxBytes);
  return tooMuch === -1 ? sizes.length : Math.max(1, tooMuch);
}

function bytesShown(column: string): string {
  return `case when octet_length(${column}) > ${maxShownChars} then ${maxShownChars} else coalesce(octet_length(${column}), 0) end`;
}
