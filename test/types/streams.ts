/** Streams that must compile, in both decorator modes. Never run. */
import { Flow } from '../../src/define/flow.ts';
import { Task } from '../../src/define/task.ts';
import type { Out } from '../../src/define/wiring.ts';
import type { TaskContext } from '../../src/model/context.ts';
import type { ResultOf } from '../../src/model/flow-types.ts';
import { at } from '../../src/model/streams.ts';

interface Row {
  id: number;
  text: string;
}

@Flow()
export class Rows {
  static readonly result = 'count';

  @Task({ buffer: 16, retries: 3 })
  async *rows(ctx: TaskContext): AsyncGenerator<Row> {
    yield { id: Number(ctx.resumeFrom ?? 0), text: '' };
  }
  /** With positions, whose type is found out. */
  @Task()
  async *positioned() {
    yield at(1, { id: 1, text: '' });
    yield { id: 2, text: '' };
  }
  @Task({ needs: ['rows'] })
  async *texts(rows: AsyncIterable<Row>, _ctx: TaskContext): AsyncGenerator<string, void, void> {
    for await (const { text } of rows) yield text;
  }
  /** A taker may ask for less of a record, take several streams and other inputs, and name them by `Out`. */
  @Task({ needs: ['rows', 'positioned', 'limit'] })
  async count(rows: AsyncIterable<{ readonly id: number }>, positioned: Out<Rows, 'positioned'>, limit: number): Promise<number> {
    for await (const { id } of rows) if (id > limit) return id;
    for await (const { text } of positioned) if (text.length > limit) return limit;
    return 0;
  }
  @Task()
  limit(): number {
    return 3;
  }
  @Task({ needs: ['texts'] })
  private async write(texts: AsyncIterable<string>): Promise<void> {
    for await (const text of texts) text.trim();
  }
  @Task({ needs: ['texts'] })
  ends(_texts: AsyncIterable<unknown>): void {}
}

/** Items that no task takes as a stream are the list that the task gives, without their positions. */
@Flow()
export class Listed {
  static readonly result = 'rows';
  @Task()
  async *rows() {
    yield at(1, { id: 1 });
  }
  @Task({ each: 'rows' })
  one(row: { id: number }): number {
    return row.id;
  }
}
export const ids = (rows: ResultOf<typeof Listed>): readonly number[] => rows.map(({ id }) => id);
