/** Looks over the text of JSON without making anything of it. Whether it is JSON at all is for the parser to say. */

const quote = 0x22;
const backslash = 0x5c;
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/** How deep it is nested, and how many objects and lists it holds. Stops once either is more than the most. */
export function measureJson(
  bytes: Uint8Array,
  maxDepth: number,
  maxContainers: number,
): { readonly depth: number; readonly containers: number } {
  let depth = 0;
  let deepest = 0;
  let containers = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) at = endOfText(bytes, at);
    else if (byte === openList || byte === openObject) {
      containers++;
      deepest = Math.max(deepest, ++depth);
      if (deepest > maxDepth || containers > maxContainers) break;
    } else if (byte === closeList || byte === closeObject) depth--;
  }
  return { depth: deepest, containers };
}

/** Where the quote stands that ends a text which begins at `from`; the end of all when none does. */
function endOfText(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(quote, from + 1); at !== -1; at = bytes.indexOf(quote, at + 1)) {
    let backslashes = 0;
    while (bytes[at - 1 - backslashes] === backslash) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return bytes.length;
}
