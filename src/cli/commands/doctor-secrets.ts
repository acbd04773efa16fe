/** Whether stored secrets can be read with the keys set here. */
import type { Config } from '../../base/settings.ts';
import { keyringOf } from '../../client/keyring.ts';
import { openWith, purposeOf } from '../../secrets/sealing.ts';
import type { Store } from '../../store/store.ts';

/** The finding; null if nothing is stored. References are skipped: they resolve in the processes that run the tasks. */
export async function lookAtSecrets(
  { secrets, connections }: Pick<Store, 'secrets' | 'connections'>,
  config: Config,
): Promise<{ readonly isGood: boolean; readonly found: string } | null> {
  const sealed = [
    ...(await secrets.list()).map(({ name, value }) => ({ what: `The secret '${name}'`, value, purpose: purposeOf('secret', name) })),
    ...(await connections.list()).flatMap(({ name, secrets: fields }) =>
      Object.entries(fields).map(([field, value]) => ({
        what: `The field ${field} of connection '${name}'`,
        value,
        purpose: purposeOf('connection', name, field),
      })),
    ),
  ].flatMap(({ what, value, purpose }) => ('sealed' in value ? [{ what, sealed: value.sealed, purpose }] : []));
  if (sealed.length === 0) return null;
  try {
    const keyring = keyringOf(config)();
    for (const { what, sealed: text, purpose } of sealed) openWith(keyring, what, text, purpose);
    return { isGood: true, found: `${sealed.length} stored, all can be read with the keys that are set` };
  } catch (error) {
    return { isGood: false, found: error instanceof Error ? error.message : String(error) };
  }
}
