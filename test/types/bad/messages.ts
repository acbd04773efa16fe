/** Wirings whose compile errors people read; types.test.ts looks at the messages. */
import { z } from 'zod';
import { Flow } from '../../../src/define/flow.ts';
import { Task } from '../../../src/define/task.ts';
import type { TaskContext } from '../../../src/model/context.ts';

@Flow({ result: 'nothing' })
export class Wrong {
  @Task()
  a(): number {
    return 1;
  }
  @Task({ needs: ['nope'] })
  missing(_x: number) {}
  @Task({ needs: ['a'] })
  mistyped(_x: string) {}
  @Task({ each: 'a' })
  noList(_x: number) {}
  @Task({ after: ['gone'] })
  missingAfter() {}
  @Task({ needs: ['a'], when: (_x: string) => true })
  badWhen(_x: number) {}
}

export class Code {
  async run() {}
  @Task()
  a() {}
  @Task({ needs: ['a'] })
  wired() {}
}

@Flow({ params: z.object({ month: z.string() }) })
export class Twice {
  static readonly params = z.object({ month: z.string() });
  @Task()
  a() {}
}

@Flow({ params: z.object({ month: z.string() }) })
export class OtherContext {
  @Task()
  months(_ctx: TaskContext<{ month: number }>) {}
}
