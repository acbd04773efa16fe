/** Large results that are lost with the process; for tests. */
import { Buffer } from 'node:buffer';
import { checkKey, missing, type ResultPlace } from './place.ts';

export function memoryPlace(): ResultPlace {
  const values = new Map<string, Buffer>();
  const name = 'memory';
  const get = (key: string): Buffer => {
    const value = values.get(checkKey(key));
    if (value === undefined) throw missing(key, name);
    return value;
  };
  return {
    prefix: '',
    name,
    async write(key, pieces) {
      checkKey(key);
      const all: Uint8Array[] = [];
      for await (const piece of pieces) all.push(piece);
      values.set(key, Buffer.concat(all));
    },
    async read(key) {
      const value = get(key);
      return (async function* () {
        yield value;
      })();
    },
    size: async (key) => get(key).byteLength,
    remove: async (key) => void values.delete(checkKey(key)),
    async sweep(runIds, keptOf) {
      const keys = [...values.keys()].filter((key) => runIds.some((runId) => key.startsWith(`${runId}/`)));
      const kept = new Set(await keptOf(keys));
      for (const key of keys) if (!kept.has(key)) values.delete(key);
    },
  };
}
