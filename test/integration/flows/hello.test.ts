import { describe, expect, it } from 'vitest';
import { Hello } from '../../../flows/hello.ts';
import { runHere } from './run-here.ts';

describe('hello', () => {
  it('greets the world unless told whom', async () => {
    const { run, result } = await runHere(Hello);
    expect(run.state.name).toBe('Completed');
    expect(result).toBe('Hello, world!');
  });

  it('greets whom it is told', async () => {
    expect((await runHere(Hello, { name: 'Ada' })).result).toBe('Hello, Ada!');
  });

  it('refuses a name that is no text before anything runs', async () => {
    await expect(runHere(Hello, { name: 7 })).rejects.toMatchObject({ code: 'PARAMS_INVALID' });
  });

  it('is a plain class outside a run', async () => {
    expect(await new Hello().say('Hi')).toBe('Hi');
  });
});
