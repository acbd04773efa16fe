import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext, Task } from 'batuta';
import { after, hang, ledger, takeOver } from '../../support/take-over.ts';

describe('a code flow that is taken over', () => {
  abstract class Orders {
    abstract run(params: unknown, ctx: FlowContext): Promise<unknown>;

    @Task()
    async fetch(id: number): Promise<string> {
      ledger.push(`fetch ${id}`);
      return `order ${id}`;
    }

    @Task()
    async wait(): Promise<string> {
      ledger.push('wait');
      return 'now';
    }

    @Task()
    async refuse(id: number): Promise<never> {
      ledger.push(`refuse ${id}`);
      throw new Error(`no ${id}`);
    }

    @Task()
    async call(given: () => string): Promise<string> {
      ledger.push('call');
      return given();
    }
  }

  @Flow({ name: 'orders' })
  class Before extends Orders {
    async run(): Promise<unknown> {
      await this.refuse(1).catch(() => undefined);
      await this.call(() => 'opaque');
      return [await this.fetch(1), await this.fetch(2), await this.fetch(1), await this.wait()];
    }

    @Task()
    override async wait(): Promise<string> {
      return hang();
    }
  }

  @Flow({ name: 'orders' })
  class Same extends Orders {
    async run(): Promise<unknown> {
      const refused = await this.refuse(1).catch((error: Error) => error.message);
      await this.call(() => 'opaque');
      return [refused, await this.fetch(1), await this.fetch(2), await this.fetch(1), await this.wait()];
    }
  }

  @Flow({ name: 'orders' })
  class Changed extends Orders {
    async run(): Promise<unknown> {
      return [await this.fetch(3), await this.fetch(2), await this.fetch(1), await this.fetch(2)];
    }
  }

  test('takes what was recorded, also a failure that was caught; inputs that cannot be told apart never match', async () => {
    const { run, result } = await takeOver(Before, Same);
    expect(run.state.name).toBe('Completed');
    expect(result).toEqual(['no 1', 'order 1', 'order 2', 'order 1', 'now']);
    expect(after()).toEqual(['call', 'wait']);
  });

  test('whose code has changed takes no wrong result, and leaves nothing open of what it no longer calls', async () => {
    const { run, result, rows } = await takeOver(Before, Changed);
    expect(run.state.name).toBe('Completed');
    expect(result).toEqual(['order 3', 'order 2', 'order 1', 'order 2']);
    expect(after()).toEqual(['fetch 3', 'fetch 2']);
    expect(rows.filter((row) => row.name === 'wait').map((row) => [row.state.name, row.state.message])).toEqual([
      ['Cancelled', 'The run went on without it.'],
    ]);
  });
});
