/**
 * Masks secrets in text, where no name of a field tells: passwords in addresses, credentials of headers, and what looks like a field with
 * the name of a secret, as `console.log(object)` prints it.
 */
import { redacted } from './secret-names.ts';

/** What an address may not hold, so that one ends where the next value begins. */
const addressWithPassword = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/"'<>]*):[^\s"'<>]*@/gi;
const passwordInQuery = /([?&](?:ssl)?(?:password|passwd|pwd|token|api_?key|access_?key|secret|sig|signature)=)[^&#\s"'<>\\]*/gi;
const credentials = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/g;
const printedField =
  /((?:password|passwd|passphrase|pwd|token|secret|secret_?key|api_?key|access_?key|private_?key|authorization|credential|cookie|jwt)s?['"]?\s*[:=]\s*)(['"`])(?:(?!\2)[^\n\\]|\\.){0,2000}\2/gi;

/** The text without them. Quick where there are none. */
export function maskText(text: string): string {
  let masked = text;
  if (text.includes('://')) masked = masked.replace(addressWithPassword, '$1:***@').replace(passwordInQuery, '$1***');
  if (/Bearer|Basic/.test(text)) masked = masked.replace(credentials, `$1 ${redacted}`);
  return /pass|pwd|token|secret|key|auth|credential|cookie|jwt/i.test(text) ? masked.replace(printedField, `$1$2${redacted}$2`) : masked;
}
