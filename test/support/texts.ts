/** Any text that JavaScript can make: halves of pairs, NUL, emoji of many parts, control characters. */
import fc from 'fast-check';

/** UTF-16 units in any order, among them what breaks databases. */
export const anyText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.constantFrom(
        '\0',
        '\ud83e',
        '\udd16',
        '\ud800',
        '\udfff',
        '\\',
        '\\u0000',
        '\\ud83e',
        '"',
        '🤖',
        '👩‍👩‍👧',
        'é',
        '🇩🇪',
        '{name}',
        '\ufffd',
      ),
      fc.string({ unit: 'binary-ascii', maxLength: 20 }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

/** What a store keeps of a text. */
export function kept(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
