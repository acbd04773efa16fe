/** Checks a PostgreSQL address before connecting. */
import { BatutaError } from './errors.ts';
import { hintFor } from './nearest.ts';

const tlsModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];

/**
 * Refuses what the driver would misread: an unknown `sslmode` demands TLS there.
 *
 * @param shown the address without its password
 * @throws BatutaError CONFIG_INVALID
 */
export function checkPostgresUrl(url: string, shown: string): void {
  const mode = queryOf(url).get('sslmode');
  if (mode === null || tlsModes.includes(mode)) return;
  const hint = hintFor(mode, tlsModes, 'There are');
  throw new BatutaError('CONFIG_INVALID', `The address ${shown} asks for sslmode=${mode}, which there is not.${hint}`, {
    details: { url: shown },
  });
}

/** The address without TLS, if its mode accepts a server that has none; else null. */
export function withoutTls(url: string): string | null {
  if (!/^(allow|prefer)$/.test(queryOf(url).get('sslmode') ?? '')) return null;
  return url.replace(/([?&]sslmode=)(allow|prefer)/, '$1disable');
}

function queryOf(url: string): URLSearchParams {
  const [, query = ''] = /\?([^#]*)/.exec(url) ?? [];
  return new URLSearchParams(query);
}
