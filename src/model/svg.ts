/** Whether bytes are an SVG document, by their beginning. Pure; nothing is executed or resolved. */

/** Most characters before the root element. */
const maxProlog = 64 * 1024;

/** Whether the root element is `svg`, after an XML declaration, comments, and a document type. */
export function isSvg(bytes: Uint8Array): boolean {
  const text = new TextDecoder('utf-8').decode(bytes.subarray(0, maxProlog));
  let at = skipBlank(text, 0);
  while (text.startsWith('<?', at) || text.startsWith('<!', at)) {
    const end = endOfProlog(text, at);
    if (end === -1) return false;
    at = skipBlank(text, end);
  }
  return /^<(?:[\w-]+:)?svg[\s/>]/.test(text.slice(at, at + 100));
}

function skipBlank(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text.charAt(at))) at++;
  return at;
}

/** Where a declaration, comment or document type ends; -1 if it does not. */
function endOfProlog(text: string, at: number): number {
  if (text.startsWith('<?', at)) return after(text, '?>', at);
  if (text.startsWith('<!--', at)) return after(text, '-->', at + 4);
  const [close, subset] = [text.indexOf('>', at), text.indexOf('[', at)];
  if (subset === -1 || subset > close) return close === -1 ? -1 : close + 1;
  const end = text.indexOf(']', subset);
  return end === -1 ? -1 : after(text, '>', end);
}

function after(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found === -1 ? -1 : found + mark.length;
}
