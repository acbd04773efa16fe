/** What the commands about keys share. */
import type { Client } from '../client/client.ts';
import { LocalClient } from '../client/local-client.ts';
import type { ApiKey } from '../model/access.ts';
import { isoOrNull } from './render/times.ts';

/** Notes a change that was made without a server; a server notes what it is asked for itself. */
export async function noteLocally(client: Client, action: string, { id, name, role }: ApiKey): Promise<void> {
  if (client instanceof LocalClient) await client.audit.record({ keyId: null, who: 'local', action, target: id, details: { name, role } });
}

/** A key as `--json` prints it. */
export function keyJson({ id, name, role, createdAt, expiresAt, revokedAt, lastUsedAt }: ApiKey): object {
  return {
    ...{ id, name, role },
    createdAt: isoOrNull(createdAt),
    expiresAt: isoOrNull(expiresAt),
    revokedAt: isoOrNull(revokedAt),
    lastUsedAt: isoOrNull(lastUsedAt),
  };
}
