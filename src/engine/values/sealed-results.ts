/** Result storage whose texts are encrypted at rest. What was stored in clear before is read as it is. */
import { Buffer } from 'node:buffer';
import type { ResultStorage } from '../results/storage.ts';

/** @param seal and `open` are inverse; `open` leaves what is not sealed */
export function sealedResults(storage: ResultStorage, seal: (text: string) => string, open: (text: string) => string): ResultStorage {
  const get = async (ref: string): Promise<string> => open(await storage.get(ref));
  return {
    ...storage,
    put: (key, text) => storage.put(key, seal(text)),
    get,
    async stream(ref) {
      // Whole: a sealed text opens in one piece, so that nobody gets the beginning of one altered at its end.
      const bytes = Buffer.from(await get(ref));
      return (async function* () {
        yield bytes;
      })();
    },
  };
}
