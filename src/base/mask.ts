/** Masks secrets in text: passwords in addresses, credentials in headers, and anything like a printed field with a secret's name. */
import { withoutHidden } from './hidden-values.ts';
import { isSecretName, redacted } from './secret-names.ts';

/** Not allowed in an address, so that it ends before the next value. */
const addressWithPassword = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/"'<>]*):[^\s"'<>]*@/gi;
/** As `maskAddress`: a lone word of Redis is a password. */
const wordOfRedis = /\b(rediss?:\/\/)[^\s:@/"'<>]+@/gi;
const passwordInQuery = /([?&][a-z_]{0,20}(?:password|passwd|pwd|token|api_?key|access_?key|secret|sig|signature)=)[^&#\s"'<>\\]*/gi;
const credentials = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/g;
/** In other letters these are words of a sentence, unless what follows is none. */
const plainCredentials = /\b(bearer|basic)\s+(?=[^\s"']*\d)[A-Za-z0-9._~+/=-]{8,}/gi;
/** Not quoted: a connection string, a variable of the environment, a query without its address. */
const assigned = /(?<![\w-])([\w-]{1,80})=(?!\*\*\*|\[redacted|(?:undefined|null|true|false)\b)[^\s"'`&#;,<>()[\]{}\\]+/g;
/** A line of YAML or of headers. More than one word may be a message about the field, and a word of letters alone, too. */
const lineOfField = /^([ \t]*(?:- )?)([\w-]{1,80}):([ \t]+)(?=\S*[^\sA-Za-z.])[^\s"'`[{]\S*[ \t]*$/gm;
const printedField =
  /((?:password|passwd|(?<!by|com)pass|passphrase|pwd|token|secret|secret_?key|api_?key|access_?key|private_?key|authorization|credential|cookie|jwt)s?['"]?\s*[:=]\s*)(['"`])(?:(?!\2)[^\n\\]|\\.){0,2000}\2/gi;

/**
 * A server address for display: `postgres://user:***@host/db`. Everything before its last `@` is taken for a password, as an unencoded one
 * ends an address early. For Redis a lone word there is one too: the most common mistake.
 */
export function maskAddress(address: string, stars = '***'): string {
  if (/^(?:sqlite|file):/i.test(address)) return address;
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(address)?.[0] ?? '';
  const queryAt = address.search(/\?[a-z_]+=[^@]*$/i);
  const place = address.slice(scheme.length, queryAt < 0 ? undefined : queryAt);
  const query = queryAt < 0 ? '' : address.slice(queryAt).replace(passwordInQuery, `$1${stars}`);
  const at = place.lastIndexOf('@');
  if (at < 0) return scheme + place + query;
  const colon = place.slice(0, at).indexOf(':');
  if (colon < 0 && !/^rediss?:/i.test(scheme)) return scheme + place + query;
  return `${scheme}${place.slice(0, Math.max(colon, 0))}:${stars}${place.slice(at)}${query}`;
}

/** The text without secrets and hidden values. Fast if there are none. */
export function maskText(text: string): string {
  let masked = withoutHidden(text);
  if (text.includes('://'))
    masked = masked.replace(addressWithPassword, '$1:***@').replace(wordOfRedis, '$1:***@').replace(passwordInQuery, '$1***');
  if (/bearer|basic/i.test(text)) masked = masked.replace(credentials, `$1 ${redacted}`).replace(plainCredentials, `$1 ${redacted}`);
  if (!/pass|pwd|token|secret|key|auth|credential|cookie|jwt/i.test(text)) return masked;
  return masked
    .replace(printedField, `$1$2${redacted}$2`)
    .replace(assigned, (field, name: string) => (isSecretName(name) ? `${name}=${redacted}` : field))
    .replace(lineOfField, (line, start: string, name: string, gap: string) =>
      isSecretName(name) ? `${start}${name}:${gap}${redacted}` : line,
    );
}
