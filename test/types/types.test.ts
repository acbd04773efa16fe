import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const modes = [
  'TypeScript 7, legacy decorators',
  'TypeScript 7, standard decorators',
  'TypeScript 7, without strict',
  'TypeScript 5.9, legacy decorators',
  'TypeScript 5.9, standard decorators',
  'TypeScript 5.9, without strict',
  'TypeScript 5.4, legacy decorators',
  'TypeScript 5.4, standard decorators',
  'TypeScript 5.4, without strict',
];

const messages = [
  "needs: 'nope' is not a public method of this class",
  "each: the result of 'a' is no list",
  "after: 'gone' is not a public method of this class",
  "result: 'nothing' is not a public method of this class",
  'when: its parameters are not the results of the tasks in needs, in order, then the context',
  "needs: a class with run() is wired by the calls in run(); leave 'needs' out",
  'parameters: they are the results of the tasks in needs, in order, then the context',
  "Type 'number' is not assignable to type 'string'",
  'params: the class has static params already; say it once',
  "params: 'months' takes other parameters than the schema outputs",
];

describe('the wiring of tasks in the type checker', () => {
  test('good flows compile and bad ones do not, in every compiler, in both decorator modes, and without strict', async () => {
    const { status, output } = await check();
    expect(output.split('\n')).toEqual(modes.map((mode) => `ok      ${mode}`));
    expect(status).toBe(0);
  });

  test('an expected error that is gone fails the check, and the messages of errors say what is wrong in words', async () => {
    const { status, output } = await check('bad/mended.ts', 'bad/messages.ts');
    expect(status).toBe(1);
    const parts = output.split(/^(?:ok|FAILED) /m).slice(1);
    expect(parts).toHaveLength(6);
    for (const part of parts) {
      expect(part).toMatch(/mended\.ts.*Unused '@ts-expect-error' directive/);
      for (const message of messages) expect(part).toContain(message);
      // A parameter of a wrong type is not reported as a missing method.
      expect(part).not.toContain("'a' is not a public method");
    }
  });
});

function check(...files: string[]): Promise<{ status: number | null; output: string }> {
  const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [at('check.js'), ...files.map(at)]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output: output.trim() }));
  });
}
