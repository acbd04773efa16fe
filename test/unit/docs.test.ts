import { availableParallelism } from 'node:os';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { errorCodes } from '../../src/base/errors.ts';
import { settings } from '../../src/base/settings.ts';
import { readRedisUrl } from '../../src/broker/bullmq/redis-url.ts';
import { listDocuments, readBlocks, readTable } from '../support/documents.ts';

test('every error code is documented as it is, with what to do, and nothing else is', () => {
  const rows = readTable('docs/reference/errors.md', 'code');
  const codes = Object.entries(errorCodes).map(([code, { stage, exit, summary }]) => [code, stage, String(exit), summary]);
  expect(rows.map((row) => row.slice(0, 4)).sort()).toEqual(codes.sort());
  expect(rows.filter((row) => (row[4] ?? '').length < 10)).toEqual([]);
});

test('every setting is documented as it is, and nothing else is', () => {
  const rows = readTable('docs/reference/config.md', 'environment');
  expect(rows).toEqual(Object.values(settings).map(({ env, name, defaultText, about }) => [env, name, defaultText, about]));
});

test('every default in the table of settings is the one that is used', () => {
  const basis = { databaseUrl: 'sqlite:.batuta/batuta.db', isTty: false };
  for (const setting of Object.values(settings)) {
    const shown = (setting.show as (value: unknown) => string)(setting.defaultValue(basis));
    if (setting.defaultText === '(unset)') expect(shown).toBe('');
    else if (setting.defaultText === 'one a processor') expect(shown).toBe(String(availableParallelism()));
    else expect(setting.defaultText).toContain(shown);
  }
});

test.each(listDocuments())('every link of %s leads to a file and a heading that are there', (document) => {
  const targets = [...proseOf(document).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^https?:/.test(target));
  const broken = targets.filter((target) => {
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? document : join(dirname(document), path);
    return !existsSync(file) || (anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).includes(anchor));
  });
  expect(broken).toEqual([]);
});

function proseOf(document: string): string {
  return readFileSync(document, 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
}

/** Anchors of headings as GitHub makes them. */
function anchorsOf(document: string): string[] {
  return [...proseOf(document).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}_\s-]/gu, '')
      .replace(/ /g, '-'),
  );
}

test.each(listDocuments())('every npm command in %s is there', (document) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const shell = readBlocks(document)
    .filter((block) => block.language === 'sh')
    .map((block) => block.code)
    .join('');
  const named = [...shell.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test('every option of a Redis address is documented, and nothing else is', () => {
  const documented = readTable('docs/reference/config.md', 'option').map(([option = '']) => option);
  const refusal = (): unknown => readRedisUrl('redis://host?nonsense=1');
  expect(refusal).toThrow(`known are ${documented.join(', ')}.`);
});

test('every Redis address in the reference is understood, as what it is shown for', () => {
  const forms = readTable('docs/reference/config.md', 'Redis').map(([, address = '']) => {
    // Any file will do as a certificate authority.
    const { form, tls, password } = readRedisUrl(address.replace(/ca=[^&]*/, 'ca=package.json'));
    return [form, tls !== null, password];
  });
  const plain = ['single', 'sentinel', 'cluster'].map((form) => [form, false, 'password']);
  expect(forms).toEqual([plain[0], plain[0], ['single', true, 'password'], ...plain.slice(1)]);
});
