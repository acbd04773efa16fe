/** Whether a key chosen by a person is guessable. Our keys are random; of others only the text is known. */

/** Length limits, characters. */
export const minKeyChars = 32;
export const maxKeyChars = 256;
/** Least bits the text must have by the most generous count. 32 random hexadecimal digits have 128, of which some 110 show. */
const minBits = 72;
/** Common in keys that people make up. */
const commonWords =
  /pass(?:word|phrase)?|secret|admin|batuta|change[-_ ]?me|letmein|welcome|qwert[yz]?|asdf|master|token|default|example|test|key|12345+|(?:19|20)\d\d/gi;

/** Why a key is refused, as the end of a sentence that begins with its name; null if it is not. */
export function weaknessOf(key: string): string | null {
  if (key.length < minKeyChars || key.length > maxKeyChars)
    return `must have at least ${minKeyChars} characters (${maxKeyChars} at most), and be random`;
  return bitsOf(key.replace(commonWords, '')) < minBits ? 'can be guessed: it repeats itself, counts on or is made of common words' : null;
}

/** Upper bound of a text's bits that its rest cannot predict. */
function bitsOf(text: string): number {
  if (text.length === 0) return 0;
  // Loaded here: few processes see such a key.
  const { deflateRawSync } = process.getBuiltinModule('node:zlib');
  const packed = deflateRawSync(text, { level: 9 }).length * 8;
  return Math.min(shannonBits([...text]), shannonBits(stepsOf(text)), packed);
}

/** Distances between successive characters: few in `abcdef…`, `acegik…` and `aaaa…`. */
function stepsOf(text: string): number[] {
  return [...text].slice(1).map((char, index) => (char.codePointAt(0) ?? 0) - (text.codePointAt(index) ?? 0));
}

function shannonBits(symbols: readonly unknown[]): number {
  const counts = new Map<unknown, number>();
  for (const symbol of symbols) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= count * Math.log2(count / symbols.length);
  return bits;
}
