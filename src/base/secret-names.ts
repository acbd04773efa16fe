/** Names of fields that hold secrets, and what stands in their place wherever people look. */

/** Stands where a secret was. */
export const redacted = '[redacted]';

/** Ends of names, letters only, that mean a secret: `dbPassword`, `X-Api-Key` and `refresh_token` are covered. */
const secretEnds = [
  'password',
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
const secretPattern = new RegExp(`(?:${secretEnds.join('|')})$`);

/** Whether a field of this name holds a secret. */
export function isSecretName(name: string): boolean {
  return secretPattern.test(name.replace(/[^a-zA-Z]/g, '').toLowerCase());
}
