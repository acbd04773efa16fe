/** The audit of changes that a command makes without a server; a server records its own. */
import type { Client } from '../client/client.ts';
import { LocalClient } from '../client/local-client.ts';

/** Records a change if the store was opened here. */
export async function noteLocally(client: Client, action: string, target: string | null, details: unknown): Promise<void> {
  if (client instanceof LocalClient) await client.audit.record({ keyId: null, who: 'local', action, target, details });
}
