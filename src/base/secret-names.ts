/** Names of fields that hold secrets, and their replacement wherever people look. */

/** Replaces a secret. */
export const redacted = '[redacted]';

/** Name endings, letters only, that mean a secret: `dbPassword`, `X-Api-Key` and `refresh_token` are covered. */
const secretEnds = [
  'password',
  'pass',
  'credential',
  'jwt',
  'passwd',
  'pwd',
  'passphrase',
  'token',
  'authorization',
  'apikey',
  'secret',
  'secretkey',
  'accesskey',
  'privatekey',
  'cookie',
];
const secretPattern = new RegExp(`(?:${secretEnds.join('|')})s?$`);
/** Words that end like one but are not. */
const harmless = /(?:bypass|compass|(?:^|max|min|prompt|completion|input|output|total|used)tokens)$/;

/** Whether a field of this name holds a secret. */
export function isSecretName(name: string): boolean {
  const letters = name.replace(/[^a-zA-Z]/g, '').toLowerCase();
  return secretPattern.test(letters) && !harmless.test(letters);
}
