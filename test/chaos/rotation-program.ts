/** The process that the test of rotations kills: moves secrets to another key, and dies of SIGKILL at its nth write, before or after it. */
import { systemClock } from '../../src/base/clock.ts';
import { Keyring } from '../../src/base/keyring.ts';
import { LocalSecrets } from '../../src/client/local-secrets.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

export interface RotationOrder {
  readonly url: string;
  readonly key: string;
  readonly oldKey: string;
  /** Null: it lives. */
  readonly death: { readonly at: number; readonly when: 'before' | 'after' } | null;
}

const { url, key, oldKey, death } = JSON.parse(process.argv[2] ?? '{}') as RotationOrder;
const store = await openStore({ url });
let writes = 0;

function mortal<T extends Store['secrets'] | Store['connections']>(named: T): T {
  const replace = async (...rows: Parameters<T['replace']>): Promise<boolean> => {
    const isLast = ++writes === death?.at;
    if (isLast && death.when === 'before') process.kill(process.pid, 'SIGKILL');
    const done = await (named.replace as (...rows: Parameters<T['replace']>) => Promise<boolean>)(...rows);
    if (isLast) process.kill(process.pid, 'SIGKILL');
    return done;
  };
  return { ...named, replace };
}

const dying: Store = { ...store, secrets: mortal(store.secrets), connections: mortal(store.connections) };
const keyring = Keyring.of('BATUTA_SECRET_KEY', key, oldKey);
const report = await new LocalSecrets({ store: dying, clock: systemClock, keyring: () => keyring }).rotate();
process.stdout.write(JSON.stringify(report));
await store.close();
