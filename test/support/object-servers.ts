/**
 * Object storages on loopback: S3 by `s3rver`, Azure Blob by Azurite, which is installed from npm when it is first wanted (into
 * `node_modules/.cache`): its hundreds of packages serve one test.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './redis.ts';

export interface ObjectServer {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** The last that run on Node 20. */
const azurite = 'azurite@3.35.0';
const root = fileURLToPath(new URL('../..', import.meta.url));
/** Runs a command that ends when its input ends, and so does this process; and ends when the command does. */
const guard = 'exec 3<&0; "$@" > /dev/null 2>&1 & server=$!; (cat <&3 > /dev/null; kill -9 $server 2> /dev/null) & wait $server';

/** S3 with one bucket. Its key is `S3RVER`, twice. */
export async function startS3(bucket: string): Promise<ObjectServer> {
  return await start(({ port, folder }) => [
    ...[join(root, 'node_modules', 's3rver', 'bin', 's3rver.js'), '--directory', folder, '--address', '127.0.0.1', '--port', String(port)],
    ...['--silent', '--configure-bucket', bucket],
  ]);
}

/** Azure Blob Storage with the account that every Azurite has. */
export async function startAzurite(): Promise<ObjectServer> {
  const home = join(root, 'node_modules', '.cache', 'batuta-azurite');
  const program = join(home, 'node_modules', 'azurite', 'dist', 'src', 'blob', 'main.js');
  if (!existsSync(program)) {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{"private":true}');
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', azurite], { cwd: home, stdio: 'ignore' });
  }
  return await start(({ port, folder }) => [
    ...[program, '--location', folder, '--blobHost', '127.0.0.1', '--blobPort', String(port)],
    ...['--silent', '--skipApiVersionCheck', '--disableTelemetry'],
  ]);
}

async function start(line: (place: { readonly port: number; readonly folder: string }) => string[]): Promise<ObjectServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'batuta-objects-'));
  const args = line({ port, folder });
  const child = spawn('sh', ['-c', guard, 'sh', process.execPath, ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
  const exited = once(child, 'exit');
  const failed = exited.then(() => {
    throw new Error(`${args.join(' ')} did not start.`);
  });
  failed.catch(() => undefined);
  const endpoint = `http://127.0.0.1:${port}`;
  await Promise.race([answers(endpoint), failed]);
  return {
    endpoint,
    async stop() {
      child.stdin.end();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(endpoint: string): Promise<void> {
  for (;;) {
    try {
      await (await fetch(endpoint)).arrayBuffer();
      return;
    } catch {
      await sleep(50);
    }
  }
}
