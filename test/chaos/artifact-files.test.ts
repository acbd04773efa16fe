/**
 * Files of artifacts that are larger than the memory of whoever keeps and sends them, and processes that are killed in the middle of one.
 *
 * `ARTIFACT_BYTES` says how large they are; `npm run chaos` makes them 1 GiB.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLocalClient } from '../../src/client/open-local-client.ts';
import { artifactFileOf } from '../../src/model/artifact.ts';
import { hashOfLargeFile } from '../support/large-file.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';
import { compileProgram, type Program, type Started, startProgram } from '../support/run-source.ts';
import { type S3Server, startS3 } from '../support/s3.ts';
import type { FileOrder } from './artifact-files-program.ts';

const mib = 1024 * 1024;
const largeBytes = Number(process.env['ARTIFACT_BYTES'] ?? 192 * mib);
/** What the heap of JavaScript may have, MiB; and how much more memory a large file may cost than a small one, buffers on their way included. */
const heapMib = 64;
const allowedBytes = 112 * mib;
/** So large that a part of it has gone to S3. */
const killedBytes = 48 * mib;

let folder: string;
let program: Program;
let s3: S3Server;
const started: Started[] = [];
const databases: TestDatabase[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-artifact-files-'));
  [program, s3] = await Promise.all([compileProgram(`import './test/chaos/artifact-files-program.ts';`), startS3()]);
});
afterAll(async () => {
  for (const { child, ended } of started) {
    child.kill('SIGKILL');
    await ended;
  }
  program.remove();
  for (const database of databases) await database.drop();
  await s3.stop();
  rmSync(folder, { recursive: true, force: true });
});

function start(order: Partial<FileOrder> & Pick<FileOrder, 'databaseUrl' | 'results'>): Started {
  const whole: FileOrder = { what: 'keep', bytes: largeBytes, standsAt: null, runId: null, port: 0, ...order };
  const one = startProgram(program, [JSON.stringify(whole)], [`--max-old-space-size=${heapMib}`]);
  started.push(one);
  return one;
}

/** A database and a place for results of their own. */
async function own(place: string, what: string): Promise<Pick<FileOrder, 'databaseUrl' | 'results'>> {
  const name = `${place.replaceAll(' ', '-')}-${what}`;
  const results = place === 'a folder' ? join(folder, `${name}-results`) : place === 'S3' ? `s3://${s3.bucket}/${name}` : 'store';
  if (place !== 'PostgreSQL') return { databaseUrl: `sqlite:${join(folder, `${name}.db`)}`, results };
  const database = await createDatabase();
  databases.push(database);
  return { databaseUrl: database.url, results };
}

/** What a program that has ended said of itself. */
async function saidBy({ ended }: Started): Promise<{ readonly peakBytes: number; readonly runId: string; readonly state: string }> {
  const { stdout, stderr, status } = await ended;
  expect(status, stderr).toBe(0);
  const word = (before: string): string => new RegExp(`^${before} (\\S+)`, 'm').exec(stdout)?.[1] ?? '';
  return { peakBytes: Number(word('peak')), runId: word('started'), state: word('ended') };
}

/** Where a server listens that took a free port. */
async function addressOf({ child, printed }: Started): Promise<string> {
  let stdout = '';
  child.stdout?.on('data', (text: string) => void (stdout += text));
  await printed('serves ');
  await expect.poll(() => stdout).toMatch(/^serves \S+\n/m);
  return /^serves (\S+)\n/m.exec(stdout)?.[1] ?? '';
}

describe.each(['a folder', 'SQLite', 'PostgreSQL', 'S3'])('a large file in %s', (place) => {
  it(
    'is kept and sent in memory that does not grow with it, and arrives as it was',
    async () => {
      const peaks: Record<string, number[]> = { keep: [], serve: [] };
      for (const bytes of [mib, largeBytes]) {
        const at = await own(place, String(bytes));
        const { peakBytes, runId, state } = await saidBy(start({ ...at, bytes }));
        expect(state).toBe('Completed');
        peaks.keep?.push(peakBytes);
        const server = start({ ...at, what: 'serve' });
        const url = await addressOf(server);
        const listed = await fetch(`${url}/api/runs/${runId}/artifacts`);
        const { items: artifacts } = (await listed.json()) as { readonly items: readonly { readonly id: string }[] };
        const answer = await fetch(`${url}/api/artifacts/${artifacts[0]?.id}/content`, { headers: { 'accept-encoding': 'identity' } });
        expect(answer.headers.get('content-disposition')).toBe('attachment; filename="data.bin"');
        expect(Number(answer.headers.get('content-length'))).toBe(bytes);
        const hash = createHash('sha256');
        for await (const piece of answer.body ?? []) hash.update(piece);
        expect(hash.digest('hex')).toBe(hashOfLargeFile(bytes));
        server.child.kill('SIGTERM');
        peaks.serve?.push((await saidBy(server)).peakBytes);
      }
      for (const [what, [small = 0, large = 0]] of Object.entries(peaks)) {
        expect(small, what).toBeGreaterThan(0);
        expect(large - small, what).toBeLessThan(allowedBytes);
      }
    },
    120_000 + (largeBytes / mib) * 1_000,
  );

  it('is not there when its process is killed in the middle; it is once the run goes on, and all of it goes with the run', async () => {
    const at = await own(place, 'killed');
    const killed = start({ ...at, bytes: killedBytes, standsAt: killedBytes - mib });
    await killed.printed('stands');
    killed.child.kill('SIGKILL');
    const { stdout } = await killed.ended;
    const runId = /started (\S+)/.exec(stdout)?.[1] ?? '';
    const client = await openLocalClient(at);
    try {
      expect((await client.runs.inspect(runId)).artifacts).toEqual([]);
      expect(await saidBy(start({ ...at, bytes: killedBytes, runId }))).toMatchObject({ runId, state: 'Completed' });
      const { artifacts } = await client.runs.inspect(runId);
      expect(artifacts.map((artifact) => artifactFileOf(artifact))).toMatchObject([
        { fileName: 'data.bin', bytes: killedBytes, sha256: hashOfLargeFile(killedBytes) },
      ]);
      const hash = createHash('sha256');
      for await (const piece of (await client.artifacts.content(artifacts[0]?.id ?? '')).pieces) hash.update(piece);
      expect(hash.digest('hex')).toBe(hashOfLargeFile(killedBytes));
      await client.runs.delete(runId);
      expect(await leftOf(place, at)).toEqual([]);
    } finally {
      await client.close();
    }
  });
});

/** What still lies in the place. */
async function leftOf(place: string, { databaseUrl, results }: Pick<FileOrder, 'databaseUrl' | 'results'>): Promise<readonly string[]> {
  if (place === 'a folder') return readdirSync(results, { recursive: true, encoding: 'utf8' });
  if (place === 'S3') return s3.objects().filter((name) => name.startsWith(results.replace(`s3://${s3.bucket}/`, '')));
  const wanted = 'select distinct name from result_chunks';
  if (place === 'PostgreSQL') {
    const database = databases.find(({ url }) => url === databaseUrl);
    return ((await database?.query<{ readonly name: string }>(wanted)) ?? []).map(({ name }) => name);
  }
  const database = new Database(databaseUrl.replace('sqlite:', ''));
  try {
    return (database.prepare(wanted).all() as { readonly name: string }[]).map(({ name }) => name);
  } finally {
    database.close();
  }
}
