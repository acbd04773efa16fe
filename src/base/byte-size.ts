/** Sizes for people. */

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A size in the largest unit that gives at least 1, with one decimal: `1.5 MiB`. @param bytes at least 0 */
export function byteSize(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const amount = bytes / 1024 ** power;
  return `${power === 0 ? amount : amount.toFixed(1)} ${units[power]}`;
}
