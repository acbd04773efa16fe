import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { settings } from '../../src/base/settings.ts';
import { scaffold } from '../../src/cli/scaffold.ts';
import { readBlocks } from '../support/documents.ts';
import { interpolate, listVariables, parseCompose, readDockerfile } from '../support/containers.ts';

const folder = mkdtempSync(join(tmpdir(), 'batuta-containers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const init = new Map(scaffold({ name: 'x', version: '1.0.0' }).map(({ path, text }) => [path, text]));
const repository = (path: string): string => readFileSync(path, 'utf8');
const made = (path: string): string => init.get(path) ?? '';
const passwords = { POSTGRES_PASSWORD: 'one', REDIS_PASSWORD: 'two', BATUTA_ADMIN_KEY: 'three' };

/** What the images of others read; all else must be a setting of Batuta. */
const imageVariables: Readonly<Record<string, readonly string[]>> = {
  postgres: ['POSTGRES_DB', 'POSTGRES_PASSWORD', 'POSTGRES_USER'],
  redis: ['REDISCLI_AUTH'],
};
const settingVariables: readonly string[] = Object.values(settings).map(({ env }) => env);

describe.each([
  ['of the repository', repository],
  ['that batuta init makes', made],
])('the compose file %s', (_title, read) => {
  const text = read('docker-compose.yml');
  const { services, volumes = {} } = interpolate(parseCompose(text), passwords);
  const all = Object.entries(services);
  const own = all.filter(([, { image }]) => image === undefined);

  test('passes dclint without a warning', () => {
    const path = join(folder, `docker-compose-${all.length}.yml`);
    writeFileSync(path, text);
    const { status, stdout, stderr } = spawnSync(process.execPath, ['node_modules/dclint/bin/dclint.cjs', path, '--max-warnings', '0'], {
      encoding: 'utf8',
    });
    expect(stdout + stderr).not.toMatch(/error|warning/);
    expect(status).toBe(0);
  });

  test.each(all)('%s is watched, started again, bounded, and of a fixed version', (_name, service) => {
    expect(service.healthcheck).toMatchObject({ test: expect.any(Array), interval: expect.any(String), retries: expect.any(Number) });
    expect(service.restart).toBe('unless-stopped');
    expect(service.deploy?.resources.limits).toEqual({ cpus: expect.any(String), memory: expect.any(String) });
    if (service.image !== undefined) expect(service.image).toMatch(/^\w+:\d+\.\d+(\.\d+)?-alpine$/);
  });

  test('no port is open beyond this machine', () => {
    const ports = all.flatMap(([, service]) => service.ports ?? []);
    expect(ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
  });

  test('every variable of a service is read by it', () => {
    const unknown = all.flatMap(([name, { environment = {} }]) => {
      const known = imageVariables[name] ?? settingVariables;
      return Object.keys(environment).filter((variable) => !known.includes(variable));
    });
    expect(unknown).toEqual([]);
  });

  test('Redis throws nothing away, writes down what it holds, and asks for a password, which stands on no command line', () => {
    const { command: [program = '', ...args] = [], environment } = services['redis'] ?? {};
    const bin = mkdtempSync(join(folder, 'bin-'));
    writeFileSync(join(bin, 'docker-entrypoint.sh'), '#!/bin/sh\necho "$@"\ncat\n', { mode: 0o755 });
    const env = { ...environment, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    const { stdout, stderr } = spawnSync(program, args, { env, encoding: 'utf8' });
    const [line, ...read] = stdout.split('\n');
    expect([stderr, line, read]).toEqual([
      '',
      'redis-server - --appendonly yes --maxmemory 384mb --maxmemory-policy noeviction',
      ['requirepass "two"', ''],
    ]);
    for (const { command = [] } of Object.values(services))
      for (const secret of ['one', 'two', 'three']) expect(command).not.toContain(secret);
  });

  test('nothing starts without its passwords, and none is written down', () => {
    const needed = [...listVariables(text)].filter(([, fallback]) => fallback === null).map(([name]) => name);
    expect(Object.keys(passwords)).toEqual(expect.arrayContaining(needed));
    for (const name of needed) {
      expect(() => interpolate(parseCompose(text), { ...passwords, [name]: '' })).toThrow('.env.example');
      expect(read('.env.example')).toMatch(new RegExp(`^${name}=$`, 'm'));
    }
    expect(read('.gitignore').split('\n')).toContain('.env');
  });

  test('no service gains privileges, each has only the capabilities it needs, and what it may write in memory is bounded', () => {
    const file = parse(text, { merge: true }) as { readonly services: Readonly<Record<string, Record<string, readonly string[]>>> };
    for (const service of Object.values(file.services)) {
      expect(service['cap_drop']).toEqual(['ALL']);
      expect(service['security_opt']).toContain('no-new-privileges:true');
      expect(service['read_only']).toBe(true);
      for (const place of service['tmpfs'] ?? []) expect(place).toMatch(/:size=\d+m/);
    }
  });

  test('.env.example names every variable that the file takes, and no other', () => {
    const named = [...read('.env.example').matchAll(/^(# )?([A-Z0-9_]+)=/gm)].map(([, comment, name = '']) => [
      name,
      comment === undefined,
    ]);
    const taken = [...listVariables(text)].map(([name, fallback]) => [name, fallback === null]);
    expect(named.sort()).toEqual(taken.sort());
  });

  test('every volume that is named is declared, and no other', () => {
    const named = all.flatMap(([, service]) => service.volumes ?? []).map((volume) => volume.split(':')[0] ?? '');
    expect([...new Set(named.filter((name) => !name.startsWith('.')))].sort()).toEqual(Object.keys(volumes).sort());
  });

  test.each(own)('%s can be scaled, waits for what it needs, and ends as it should', (name, service) => {
    expect([service.container_name, service.init]).toEqual([undefined, true]);
    // What people open has a port of its own, and so there is one of it.
    expect(service.ports).toEqual(name === 'server' ? ['127.0.0.1:4200:4200'] : undefined);
    const needs = Object.keys(services).filter((other) => services[other]?.image !== undefined);
    expect(service.depends_on).toEqual(Object.fromEntries(needs.map((name) => [name, { condition: 'service_healthy' }])));
    const grace = Number(/--grace (\d+)s/.exec(service.command?.join(' ') ?? '')?.[1] ?? 0);
    expect(Number.parseInt(service.stop_grace_period ?? '', 10)).toBeGreaterThan(grace);
  });
});

describe('the image', () => {
  const instructions = readDockerfile('Dockerfile');
  const ofRun = instructions.filter(({ stage }) => stage === 'run');
  const list = (name: string): string[] => JSON.parse(ofRun.findLast((it) => it.name === name)?.rest ?? '[]') as string[];

  test('runs as a user without rights, on a Node that is supported, and knows how it is', () => {
    expect(ofRun.findLast(({ name }) => name === 'USER')?.rest).toBe('node');
    // As an argument, so that a digest can be given; and its version exact.
    const { rest: base } = instructions.find(({ name }) => name === 'ARG') ?? {};
    expect(base).toMatch(/^NODE_IMAGE=node:(22|24)\.\d+\.\d+-[a-z]+-slim$/);
    for (const { rest } of instructions.filter(({ name }) => name === 'FROM')) expect(rest).toMatch(/^\$\{NODE_IMAGE\} AS \w+$/);
    expect(repository('docker-compose.yml')).toContain(`\${${base?.replace('=', ':-')}}`);
    expect(ofRun.find(({ name }) => name === 'HEALTHCHECK')?.rest).toMatch(/--interval=\d+s .*CMD \["batuta", "health"\]$/);
    expect(list('ENTRYPOINT')).toEqual(['batuta']);
    const { services } = parseCompose(repository('docker-compose.yml'));
    const file = /BATUTA_HEALTH_FILE=(\S+)/.exec(ofRun.find(({ name }) => name === 'ENV')?.rest ?? '')?.[1];
    expect(services['worker']?.environment?.['BATUTA_HEALTH_FILE']).toBe(file);
  });

  test('every command in the Dockerfile, the compose file and the guide is a command with these options', () => {
    const { services } = parseCompose(repository('docker-compose.yml'));
    const code = readBlocks('docs/guides/fleet.md')
      .map((block) => block.code)
      .join('');
    const guide = [...code.matchAll(/(?<=^|\s)batuta ((?:[a-z]+ ?)+)/gm)].map(([, line = '']) => line.trim().split(' '));
    const image = [...code.matchAll(/\bCMD (\[.*\])/g)].map(([, line = '']) => JSON.parse(line) as string[]);
    expect(image).toEqual([['batuta', 'health'], list('CMD')]);
    const checks = Object.values(services).map(({ healthcheck }) => healthcheck?.test.slice(1) ?? []);
    const commands = [
      list('CMD'),
      ...checks.filter(([program]) => program === 'batuta').map((line) => line.slice(1)),
      ...Object.values(services).flatMap(({ image, command }) => (image === undefined ? [command ?? []] : [])),
      ...guide.map((words) => words.slice(0, 2)),
    ];
    expect(commands.length).toBeGreaterThan(6);
    const unlike = new Map(commands.map((line) => [line.join(' '), line]));
    for (const [line, words] of unlike) {
      const { status, stdout } = spawnSync(process.execPath, ['dist/cli/main.js', ...words, '--help'], { encoding: 'utf8' });
      const named = words.filter((word) => /^[a-z]+$/.test(word));
      expect([line, status, stdout.startsWith(`Usage: npx batuta ${named.join(' ')}`)]).toEqual([line, 0, true]);
      for (const option of words.filter((word) => word.startsWith('--'))) expect(stdout).toContain(option);
    }
  });

  test('what the Dockerfile copies is there, is let in by .dockerignore, and nothing else is', () => {
    const copied = instructions
      .filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from='))
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
    expect(copied.filter((path) => !existsSync(path))).toEqual([]);
    const ignore = repository('.dockerignore').split('\n');
    expect(ignore).toContain('*');
    const letIn = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(letIn.sort()).toEqual([...new Set(copied)].sort());
  });

  test('what is copied suffices to build it', () => {
    const copied = instructions
      .filter(({ stage, name, rest }) => stage === 'build' && name === 'COPY' && !rest.startsWith('--from='))
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
    const project = join(folder, 'build');
    for (const path of copied) cpSync(path, join(project, path), { recursive: true });
    symlinkSync(resolve('node_modules'), join(project, 'node_modules'));
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/build.js', '--js'], { cwd: project, encoding: 'utf8' });
    expect([status, stdout + stderr]).toEqual([0, '']);
    const files = readdirSync(join(project, 'dist'), { recursive: true, encoding: 'utf8' });
    expect(files).toEqual(expect.arrayContaining(['cli/main.js', 'worker/main.js', 'scheduler/main.js']));
  });
});
