/** Starts the process that owns a PostgreSQL server (`postgres-server.js`) and speaks with it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./postgres-server.js', import.meta.url));

export interface PostgresServer {
  /** URL of its first database. */
  readonly url: string;
  /** Stops it as an operator would and starts it again on the same data and port. */
  restart(): Promise<void>;
  /** Ends it at once, as a crash would; what was committed is kept. */
  crash(): Promise<void>;
  /** Starts it again after `crash`, on the same data and port. */
  start(): Promise<void>;
  /** Ends the server and removes its data. May be called twice. */
  stop(): Promise<void>;
}

/** A server of its own, in a fresh folder, on a free port of 127.0.0.1. It takes about two seconds. */
export async function startPostgres(): Promise<PostgresServer> {
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ready = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('The PostgreSQL of the tests did not start; see above.');
    return (JSON.parse(value) as { url: string }).url;
  };
  const url = await ready();
  const say = async (command: string): Promise<void> => {
    child.stdin.write(`${command}\n`);
    await ready();
  };
  return {
    url,
    restart: () => say('restart'),
    crash: () => say('crash'),
    start: () => say('start'),
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}
