/** File names for downloads. Pure. */

const maxChars = 150;
/** Device names on Windows. */
const reserved = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * The last part of a path, made safe: no control characters, characters that change text direction, or those that file systems refuse; no
 * dot at the start or end, at most 150 characters with the extension kept. `file` if nothing is left.
 */
export function safeFileName(name: string): string {
  const part = (
    name
      .toWellFormed()
      .split(/[/\\]/)
      .filter((piece) => /[^.\s]/.test(piece))
      .at(-1) ?? ''
  )
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[<>:"|?*]/g, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '');
  const clean = reserved.test(part) ? `_${part}` : part;
  if (clean.length <= maxChars) return clean === '' ? 'file' : clean;
  const ending = /\.[A-Za-z0-9]{1,10}$/.exec(clean)?.[0] ?? '';
  return clean.slice(0, maxChars - ending.length).replace(/[\uD800-\uDBFF]$/, '') + ending;
}
