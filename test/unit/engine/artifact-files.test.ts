/** Images and files of tasks: what they may be, where they lie, and that nothing is left of what failed. */
import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { ArtifactWriter, TaskContext } from 'batuta';
import { BatutaError } from '../../../src/base/errors.ts';
import type { ArtifactFile } from '../../../src/model/artifact.ts';
import type { Artifact } from '../../../src/model/run.ts';
import { openStore } from '../../../src/store/open.ts';
import { gate, makeFlow } from '../../support/make-flow.ts';
import { ownEngine, ownFolder } from '../../support/own-engine.ts';
import { jpeg, png, webp } from '../../support/images.ts';

/** What a task has shown, and how its run ended. */
async function shown(show: (artifact: ArtifactWriter) => Promise<void>, settings = {}) {
  const folder = ownFolder();
  const { client, store, engine } = await ownEngine({ results: folder, settings });
  const flow = makeFlow({ work: { does: (ctx: TaskContext) => show(ctx.artifact) } });
  const handle = await client.submit(flow);
  await handle.done();
  const { run, artifacts } = await client.runs.inspect(handle.id);
  return { folder, client, store, engine, run, artifacts, files: filesIn(folder, run.id) };
}

function filesIn(folder: string, runId: string): string[] {
  try {
    return readdirSync(join(folder, runId));
  } catch {
    return [];
  }
}

/** What is recorded of the first. */
const fileIn = (artifacts: readonly Artifact[]): ArtifactFile | undefined => artifacts[0]?.data as ArtifactFile | undefined;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const svg = Buffer.from('<?xml version="1.0"?><!-- a > b --><svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"/>');

describe('an image', () => {
  test.each([
    ['image/png', png, 3, 2],
    ['image/jpeg', jpeg, 2, 1],
    ['image/webp', webp, 1, 1],
    ['image/svg+xml', svg, 40, 20],
  ])('of type %s is known by its bytes, with its size', async (type, bytes, width, height) => {
    const { artifacts, engine } = await shown((artifact) => artifact.image('plot', bytes, { alt: 'a plot' }));
    expect(artifacts).toMatchObject([{ kind: 'image', name: 'plot', data: { type, width, height, alt: 'a plot', bytes: bytes.length } }]);
    const pieces: Uint8Array[] = [];
    for await (const piece of await engine.services.results.streamBytes(artifacts[0]?.ref ?? '')) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    expect(fileIn(artifacts)?.sha256).toBe(sha256(bytes));
  });

  test.each([
    ['HTML', Buffer.from('<html><svg onload="alert(1)"/></html>'), {}, 'ARTIFACT_TYPE'],
    ['a PNG that is said to be a JPEG', png, { type: 'image/jpeg' }, 'ARTIFACT_TYPE'],
    ['an SVG that is said to be a PNG', svg, { type: 'image/png' }, 'ARTIFACT_TYPE'],
    ['a PDF', Buffer.from('%PDF-1.7\n'), {}, 'ARTIFACT_TYPE'],
    ['nothing', Buffer.alloc(0), {}, 'ARTIFACT_TYPE'],
    ['a type that is none', png, { type: 'image/png\r\nx: y' }, 'ARTIFACT_INVALID'],
    ['a file that is not there', { path: '/nowhere/at/all.png' }, {}, 'ARTIFACT_INVALID'],
    ['a folder', { path: '/' }, {}, 'ARTIFACT_INVALID'],
    ['a text', 'plot.png' as never, {}, 'ARTIFACT_INVALID'],
  ] as const)('of %s is refused, and nothing is left of it', async (_, source, options, code) => {
    const { run, artifacts, files } = await shown((artifact) => artifact.image('plot.png', source, options));
    expect([run.error?.code, artifacts, files]).toEqual([code, [], []]);
  });

  test('over its most is refused, and nothing is left of it', async () => {
    const { run, files } = await shown((artifact) => artifact.image('plot', Buffer.concat([png, Buffer.alloc(5_000)])), {
      maxArtifactImageBytes: 4_096,
    });
    expect([run.error?.code, run.error?.message, files]).toEqual([
      'ARTIFACT_TOO_LARGE',
      expect.stringContaining('BATUTA_MAX_ARTIFACT_IMAGE'),
      [],
    ]);
  });
});

describe('a file', () => {
  const fileOf = async (name: string, bytes: Uint8Array, options: Parameters<ArtifactWriter['file']>[2] = {}) => {
    const { artifacts, run } = await shown((artifact) => artifact.file(name, bytes, options));
    return run.error?.code ?? fileIn(artifacts)?.type;
  };
  const text = Buffer.from('a,b\n1,2\n');

  test('has the type that it is said to be where its bytes allow it, else that of its bytes, else that of its name', async () => {
    expect(await fileOf('a.csv', text)).toBe('text/csv');
    expect(await fileOf('a', text)).toBe('application/octet-stream');
    expect(await fileOf('html', text)).toBe('application/octet-stream');
    expect(await fileOf('a', text, { type: 'Text/CSV; charset=utf-8' })).toBe('text/csv');
    expect(await fileOf('a.csv', png)).toBe('image/png');
    expect(await fileOf('page.png', Buffer.from('<html></html>'))).toBe('application/octet-stream');
    expect(await fileOf('a.docx', Buffer.from('504b0304140000000800', 'hex'))).toMatch('wordprocessingml');
    expect(await fileOf('a', Buffer.alloc(0), { type: 'text/plain' })).toBe('text/plain');
  });

  test('whose bytes are of another type is refused', async () => {
    expect(await fileOf('a', png, { type: 'text/csv' })).toBe('ARTIFACT_TYPE');
    expect(await fileOf('a', text, { type: 'application/pdf' })).toBe('ARTIFACT_TYPE');
    expect(await fileOf('a', text, { type: 'nonsense' })).toBe('ARTIFACT_INVALID');
  });

  test('is read from a path, a stream of Node, of the web, a generator, and a Blob', async () => {
    const folder = ownFolder();
    writeFileSync(join(folder, 'report.csv'), text);
    async function* pieces() {
      yield 'a,b\n';
      yield new Uint8Array(text.subarray(4));
    }
    const { artifacts } = await shown(async (artifact) => {
      await artifact.file('path', { path: join(folder, 'report.csv') });
      await artifact.file('node', Readable.from([text]));
      await artifact.file('web', new Blob([text]).stream());
      await artifact.file('generator', pieces());
      await artifact.file('blob', new Blob([text]));
      await artifact.file('buffer', new Uint8Array(text).buffer);
    });
    const hash = sha256(text);
    expect(artifacts.map(({ name, data }) => [name, (data as ArtifactFile).fileName, (data as ArtifactFile).sha256])).toEqual([
      ['path', 'report.csv', hash],
      ...['node', 'web', 'generator', 'blob', 'buffer'].map((name) => [name, name, hash]),
    ]);
  });

  test.each([
    ['../../etc/passwd', 'passwd'],
    ['..\\..\\boot.ini', 'boot.ini'],
    ['a"b\r\nSet-Cookie: x.txt', 'a_bSet-Cookie_ x.txt'],
    ['résumé 日本\u202egnp.exe', 'résumé 日本gnp.exe'],
    ['..', 'file'],
    ['', 'file'],
    ['.bashrc', 'bashrc'],
    ['con.txt', '_con.txt'],
    [`${'x'.repeat(400)}.csv`, `${'x'.repeat(146)}.csv`],
  ])('named %j is downloaded as %j', async (fileName, safe) => {
    const { artifacts } = await shown((artifact) => artifact.file('report', text, { fileName }));
    expect(fileIn(artifacts)?.fileName).toBe(safe);
  });

  test('whose stream fails or is too long leaves nothing, and its source is ended', async () => {
    let ended = 0;
    async function* endless() {
      try {
        for (;;) yield Buffer.alloc(64 * 1024);
      } finally {
        ended++;
      }
    }
    async function* broken() {
      yield Buffer.alloc(100_000);
      throw new Error('the line is cut');
    }
    const long = await shown((artifact) => artifact.file('endless', endless()), { maxArtifactFileBytes: 1024 * 1024 });
    expect([long.run.error?.code, ended, long.files]).toEqual(['ARTIFACT_TOO_LARGE', 1, []]);
    const cut = await shown((artifact) => artifact.file('broken', broken()));
    expect([cut.run.error?.message, cut.files]).toEqual(['the line is cut', []]);
  });

  test('of an attempt that has ended while it was read is dropped, with its bytes', async () => {
    const folder = ownFolder();
    const [second, late] = [gate(), gate()];
    async function* slow() {
      yield Buffer.alloc(10_000);
      await second.opened;
      yield Buffer.alloc(10_000);
    }
    const does = async (ctx: TaskContext): Promise<void> => {
      if (ctx.task.attempt === 1) {
        void ctx.artifact.file('late', slow()).then(() => late.open());
        throw new Error('it broke');
      }
      second.open();
      await late.opened;
      await ctx.artifact.file('timely', Buffer.from('x'));
    };
    const { client } = await ownEngine({ results: folder });
    const handle = await client.submit(makeFlow({ work: { retries: 1, retryDelay: 1, does } }));
    const run = await handle.done();
    const { artifacts } = await client.runs.inspect(run.id);
    expect([run.state.name, artifacts.map(({ name }) => name), filesIn(folder, run.id).length]).toEqual(['Completed', ['timely'], 1]);
  });

  test('whose row is recorded keeps its bytes, though the answer of the database was lost', async () => {
    const folder = ownFolder();
    const store = await openStore({ url: 'sqlite::memory:' });
    const { recorder } = store;
    const addArtifact = recorder.addArtifact.bind(recorder);
    Object.assign(recorder, {
      addArtifact: async (...given: Parameters<typeof addArtifact>) => {
        await addArtifact(...given);
        throw new BatutaError('STORE_UNAVAILABLE', 'The line is cut.');
      },
    });
    const { client } = await ownEngine({ store, results: folder });
    const does = ({ artifact }: TaskContext): Promise<void> => artifact.file('a', text).catch(() => undefined);
    const run = await (await client.submit(makeFlow({ work: { does } }))).done();
    const { artifacts } = await client.runs.inspect(run.id);
    expect(artifacts.map(({ name }) => name)).toEqual(['a']);
    const all: Uint8Array[] = [];
    for await (const piece of (await client.artifacts.content(artifacts[0]?.id ?? '')).pieces) all.push(piece);
    expect(Buffer.concat(all).equals(text)).toBe(true);
  });

  test('goes with its run', async () => {
    const { client, run, folder, files } = await shown((artifact) => artifact.file('a', text));
    expect(files).toHaveLength(1);
    await client.runs.delete(run.id);
    expect(filesIn(folder, run.id)).toEqual([]);
  });
});
