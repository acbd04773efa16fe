/** Opens the client for users. Its parts are in `open-local-client.ts`, which no public declaration names. */
import type { ClientOptions, EmbeddedClient } from './client.ts';
import { openLocalClient } from './open-local-client.ts';

/**
 * Opens the store (creating and migrating it if needed) and returns a client that runs flows in this process. Close it at the end.
 *
 * @throws BatutaError CONFIG_INVALID, STORE_UNAVAILABLE, STORE_READ_ONLY, STORE_CORRUPT, STORE_NEWER, STORE_FULL
 * @example
 * ```ts
 * const client = await openClient(); const handle = await client.enqueue(Weather, { city: 'Lima' }); await client.close();
 * ```
 */
export async function openClient(options: ClientOptions = {}): Promise<EmbeddedClient> {
  return await openLocalClient(options);
}
