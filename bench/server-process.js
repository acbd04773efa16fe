/** `batuta server` in a process of its own, on a free port. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './measure.js';

/**
 * Calls `use` with the URL of a server over a database, and ends the server whatever comes of it.
 *
 * @template T
 * @param {{ databaseUrl: string, folder: string }} place
 * @param {(url: string) => Promise<T>} use
 */
export async function withServer({ databaseUrl, folder }, use) {
  const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), 'server', '--host', '127.0.0.1', '--port', '0'], {
    cwd: folder,
    env: { ...process.env, BATUTA_DATABASE_URL: databaseUrl, BATUTA_LOG_FORMAT: 'json', BATUTA_LOG_LEVEL: 'info' },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const exited = once(child, 'exit');
  try {
    return await use(await urlOf(child.stderr));
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

/** Reads on after it was found, or the server would wait for its reader. */
async function urlOf(stderr) {
  const lines = [];
  const found = new Promise((resolve, reject) => {
    createInterface({ input: stderr })
      .on('line', (line) => {
        const url = /http:\/\/[\d.]+:\d+/.exec(line)?.[0];
        if (url) resolve(url);
        else if (lines.length < 50) lines.push(line);
      })
      .on('close', () => reject(new Error(`The server did not start:\n${lines.join('\n')}`)));
  });
  return await found;
}
