/** Wirings that must not compile. A line that starts to compile makes its `@ts-expect-error` an error. Never run. */
import { z } from 'zod';
import { Flow } from '../../src/define/flow.ts';
import { On } from '../../src/define/on.ts';
import { Task } from '../../src/define/task.ts';
import type { TaskContext } from '../../src/model/context.ts';

export class Bad {
  @Task() async a() {
    return 1;
  }
  @Task() b(): string {
    return 's';
  }
  @Task() async list() {
    return [1, 2];
  }
  private hidden() {
    return 1;
  }
  field = this.hidden();

  // @ts-expect-error case 1: no such method
  @Task({ needs: ['nope'] }) n1(_x: number) {}
  // @ts-expect-error case 2: one of two is missing
  @Task({ needs: ['a', 'bb'] }) n2(_x: number, _y: string) {}
  // @ts-expect-error case 3: wrong order
  @Task({ needs: ['a', 'b'] }) n3(_x: string, _y: number) {}
  // @ts-expect-error case 4: wrong type
  @Task({ needs: ['a'] }) n4(_x: string) {}
  // @ts-expect-error case 5: results are awaited, a Promise is never passed
  @Task({ needs: ['a'] }) n5(_x: Promise<number>) {}
  // @ts-expect-error case 6: a parameter after the context
  @Task({ needs: ['a'] }) n6(_x: number, _ctx: TaskContext, _more: string) {}
  // @ts-expect-error case 7: the second parameter is the context
  @Task({ needs: ['a'] }) n7(_x: number, _y: string) {}
  // @ts-expect-error case 8: a parameter that nothing feeds
  @Task() n8(_x: number) {}
  // @ts-expect-error case 9: private methods cannot be named
  @Task({ needs: ['hidden'] }) n9(_x: number) {}
  // @ts-expect-error case 10: a field is no task
  @Task({ needs: ['field'] }) n10(_x: number) {}
  // @ts-expect-error case 11: each over something that is no list
  @Task({ each: 'a' }) n11(_x: number) {}
  // @ts-expect-error case 12: each over a missing method
  @Task({ each: 'zz' }) n12(_x: number) {}
  // @ts-expect-error case 13: a field cannot be a task
  @Task() prop = 1;

  // @ts-expect-error each over text
  @Task({ each: 'b' }) e1(_x: string) {}
  // @ts-expect-error each gives one item, not the list
  @Task({ each: 'list' }) e2(_x: number[]) {}
  // @ts-expect-error after names no method
  @Task({ after: ['nope'] }) e3() {}
  // @ts-expect-error after gives no data
  @Task({ after: ['a'] }) e4(_x: number) {}
  // @ts-expect-error the parameters of when do not fit
  @Task({ needs: ['a'], when: (x: string) => x === '' }) e5(_x: number) {}
  // @ts-expect-error a static method is no task
  @Task() static e6() {}
  // @ts-expect-error an accessor is no task
  @Task() get e7() {
    return 1;
  }
  // @ts-expect-error places are counted
  @Task({ slots: '2' }) e60() {}
  // @ts-expect-error an option that does not exist
  @Task({ need: ['a'] }) e8(_x: number) {}
  // @ts-expect-error an option of a later version
  @Task({ cache: true }) e9() {}
  // @ts-expect-error no duration
  @Task({ timeout: 'soon' }) e10() {}
  // @ts-expect-error no trigger
  @Task({ trigger: 'always' }) e11() {}
  // @ts-expect-error there is no such event
  @On('done') e12() {}
  // @ts-expect-error a hook is given its context alone
  @On('failed') e14(_x: string) {}
  // @ts-expect-error a field cannot be a hook
  @On('failed') e13 = 1;
}

// @ts-expect-error result names no method
@Flow({ result: 'nope' })
export class BadResult {
  @Task() a() {}
}

// @ts-expect-error that is no schema
@Flow({ params: { month: 'string' } })
export class BadParams {
  @Task() a() {}
}

@Flow({
  params: z.object({ month: z.string() }),
  // @ts-expect-error the schema has no year
  runName: (params) => params.year,
})
export class BadRunName {
  @Task() a() {}
}

@Flow({
  params: z.object({ month: z.string() }),
  // @ts-expect-error the schema has no year
  fairness: (params) => params.year,
})
export class BadFairness {
  @Task() a() {}
}

// @ts-expect-error a weight is a number
@Flow({ fairness: { key: '{month}', weight: () => 'much' } })
export class BadWeight {
  @Task() a() {}
}

// @ts-expect-error a limit on runs says how many
@Flow({ concurrency: { key: '{a}' } })
export class NoLimit {}

// @ts-expect-error no such policy
@Flow({ concurrency: { limit: 1, onConflict: 'wait' } })
export class NoPolicy {}

// @ts-expect-error the key is taken of the parameters
@Flow({ params: z.object({ a: z.string() }), concurrency: { limit: 1, key: (params) => params.b } })
export class NoField {}
