import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { pipeline } from 'batuta/steps';
import { testFlow } from 'batuta/testing';
import { definitionOf } from '../../../src/define/definition.ts';

const folder = mkdtempSync(join(tmpdir(), 'batuta-yaml-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const functions = {
  read: () => ({ rows: [1, 2, 3] }),
  double: ({ row }: { row: number }) => ({ twice: row * 2 }),
  count: (data: { rows: readonly number[] }) => ({ count: data.rows.length }),
  isLarge: ({ count }: { count: number }) => count > 2,
  tell: { run: () => ({ told: true }) },
};
const fromText = (text: string) => pipeline.fromYaml({ text, name: 'orders.yaml' }, { functions });
const refusal = (text: string): string => {
  try {
    fromText(text);
    return 'accepted';
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as Error).message}`;
  }
};
const head = 'pipeline: orders\nsteps:\n';

const whole = `pipeline: orders
version: 1.0
timeout: 1m
steps:
  - { step: Read, run: read, version: v1.0, retries: 2, retryDelay: 1s, tags: [io] }
  - parallel:
      - { step: Count, run: count }
      - - { step: Tell, run: tell }
        - { pipeline: inner, step: Again }
  - when: isLarge
    steps:
      - pipeline: inner
  - forEach: rows
    as: row
    into: doubled
    concurrency: 2
    steps: [{ step: Double, run: double }]
  - background: [{ step: Beside, run: tell }]
pipelines:
  inner:
    steps: [{ step: Inner, run: count }]
`;

describe('a pipeline of YAML', () => {
  test('is the same as one in TypeScript, from a file and from text', async () => {
    const file = join(folder, 'orders.yaml');
    writeFileSync(file, `\uFEFF${whole.replaceAll('\n', '\r\n')}`);
    for (const source of [file, pathToFileURL(file), { text: whole }]) {
      const Orders = pipeline.fromYaml(source, { functions });
      const run = await testFlow(Orders, {});
      expect(run.error).toBeNull();
      expect(run.result).toEqual({ rows: [1, 2, 3], count: 3, told: true, doubled: [{ twice: 2 }, { twice: 4 }, { twice: 6 }] });
      const { tasks, timeoutMs, version } = definitionOf(Orders);
      expect([...tasks.keys()]).toEqual(['Read', 'Count', 'Tell', 'Again: Inner', 'inner: Inner', 'Double', 'Beside']);
      expect([version, timeoutMs, tasks.get('Read')?.retry.retries, tasks.get('Read')?.tags]).toEqual(['1.0', 60_000, 2, ['io']]);
    }
  });

  test('a change of the text, or of a function, changes the version where none is given', () => {
    const versionOf = (text: string, more: object = {}): string =>
      definitionOf(pipeline.fromYaml({ text }, { functions: { ...functions, ...more } })).version;
    const text = `${head}  - { step: Read, run: read }\n`;
    expect(versionOf(text)).toBe(versionOf(text));
    expect(new Set([versionOf(text), versionOf(`${text}# more\n`), versionOf(text, { read: () => ({ rows: [] }) })]).size).toBe(3);
  });

  test.each([
    ['', 'PIPELINE_INVALID orders.yaml:1:1: it is empty'],
    ['- a\n', 'PIPELINE_INVALID orders.yaml:1:1: the file must be a map'],
    ['pipeline: a\n', "PIPELINE_INVALID orders.yaml:1:1: 'steps' is missing"],
    ['steps: [{ step: A, run: read }]\n', "'pipeline' is missing"],
    [`${head}  - step: [\n`, 'PIPELINE_INVALID orders.yaml:4:1: '],
    [`pipeline: a\npipeline: b\nsteps: []\n`, 'PIPELINE_INVALID orders.yaml:2:1: '],
    [
      `${head}  - { step: A, run: reads }\n`,
      "STEP_UNKNOWN orders.yaml:3:21: there is no function 'reads' among those that fromYaml was given. Did you mean 'read'?",
    ],
    [`${head}  - { step: A, run: toString }\n`, 'STEP_UNKNOWN'],
    [`${head}  - { step: A, runs: read }\n`, "PIPELINE_INVALID orders.yaml:3:16: a step has no key 'runs'. Did you mean 'run'?"],
    [`${head}  - { run: read }\n`, "orders.yaml:3:5: 'step' is missing here"],
    [`${head}  - { step: A, run: }\n`, "orders.yaml:3:16: 'run' has no value"],
    [`${head}  - A\n`, 'orders.yaml:3:5: a step must be a map'],
    [
      `${head}  - { step: A, run: read }\n  - { step: A, run: count }\n`,
      "TASK_DUPLICATE Pipeline 'orders': two steps are named 'A', at orders.yaml:3:5 and at orders.yaml:4:5",
    ],
    [`${head}  - { step: A, run: read, timeout: soon }\n`, 'DURATION_INVALID orders.yaml:3:5: '],
    [`${head}  - when: isLarge\n    steps:\n      - { step: A, run: read, retries: many }\n`, 'OPTION_INVALID orders.yaml:5:9: '],
    [`retries: -1\n${head}  - { step: A, run: read }\n`, 'OPTION_INVALID orders.yaml: '],
    [`${head}  - forEach: rows\n    as: row\n    steps: [{ step: A, run: read }]\n`, "orders.yaml:3:5: 'into' is missing here"],
    [`${head}  - { when: isLarge, parallel: [] }\n`, "a group with 'when' has no key 'parallel'"],
    [
      `${head}  - pipeline: iner\npipelines:\n  inner:\n    steps: [{ step: A, run: read }]\n`,
      "STEP_UNKNOWN orders.yaml:3:15: there is no pipeline 'iner' in this file. Did you mean 'inner'?",
    ],
    [
      `${head}  - pipeline: a\npipelines:\n  a:\n    steps: [{ pipeline: b }]\n  b:\n    steps: [{ pipeline: a }]\n`,
      'PIPELINE_CYCLE orders.yaml:8:25: pipelines stand in each other in a circle: a → b → a.',
    ],
    [`${head}  - &again\n    parallel: [*again]\n`, 'PIPELINE_INVALID orders.yaml:4:16: lists of steps are nested more than 50 deep'],
    [`${head}  - { step: A, run: *nowhere }\n`, 'PIPELINE_INVALID orders.yaml:3:21: there is no anchor &nowhere'],
  ])('%j is refused with file, line and column', (text, message) => {
    expect(refusal(text)).toContain(message);
  });

  test('a pipeline among the functions becomes part of it, and takes no options', async () => {
    const Inner = pipeline<{ total: number }>('inner').steps([[({ total }: { total: number }) => ({ price: total * 2 }), 'Price']]);
    const make = (options: string) =>
      pipeline.fromYaml(
        {
          text: `pipeline: outer\nsteps:\n  - { step: Read, run: read }\n  - { step: Prices, run: inner${options} }\n`,
          name: 'outer.yaml',
        },
        { functions: { read: () => ({ total: 7 }), inner: Inner } },
      );
    const flow = await testFlow(make(''));
    expect(flow.result).toEqual({ total: 7, price: 14 });
    flow.expectTask('Prices: Price', 'Completed');
    expect(() => make(', retries: 2')).toThrow("outer.yaml:4:5 ('Prices') is a pipeline; give options to its steps");
  });

  test('pipelines that name each other ten times over are refused before they fill the memory', () => {
    const level = (name: string, next: string): string =>
      `  ${name}:\n    steps:\n${Array.from({ length: 10 }, (_, at) => `      - { pipeline: ${next}, step: n${at} }\n`).join('')}`;
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const levels = names.slice(0, -1).map((name, at) => level(name, names[at + 1] ?? ''));
    const text = `${head}  - pipeline: a\npipelines:\n${levels.join('')}  h:\n    steps: [{ step: A, run: read }]\n`;
    expect(refusal(text)).toMatch(/PIPELINE_INVALID orders\.yaml:\d+:\d+: the file comes to more than 10000 steps here/);
  });

  test('a file that is not there is refused', () => {
    expect(() => pipeline.fromYaml(join(folder, 'order.yaml'), { functions })).toThrow(
      /There is no file .*order\.yaml\. Did you mean .*orders\.yaml\?/,
    );
  });
});

test('a file with a second document, and one that is not UTF-8, are refused with their place', () => {
  expect(refusal(`${head}  - { step: Read, run: read }\n---\npipeline: other\n`)).toBe(
    'PIPELINE_INVALID orders.yaml:4:1: a second document begins here; a file has one pipeline.',
  );
  const path = join(folder, 'latin.yaml');
  writeFileSync(path, Buffer.from(`${head}  - { step: Caf\u00e9, run: read }\n`, 'latin1'));
  expect(() => pipeline.fromYaml(path, { functions })).toThrow(
    expect.objectContaining({
      code: 'PIPELINE_INVALID',
      message: expect.stringMatching(/latin\.yaml:1:1: the file is not UTF-8; save it as UTF-8\.$/),
    }),
  );
});
