/** Streams that must not compile. A line that starts to compile makes its `@ts-expect-error` an error. Never run. */
import { Task } from '../../src/define/task.ts';
import { at } from '../../src/model/streams.ts';

interface Row {
  id: number;
}

export class Bad {
  @Task()
  async *rows(): AsyncGenerator<Row> {
    yield { id: 1 };
  }
  @Task()
  async *positioned() {
    yield at('a', { id: 1 });
  }
  // @ts-expect-error case 1: records of another type
  @Task({ needs: ['rows'] })
  async texts(_rows: AsyncIterable<string>): Promise<void> {}
  // @ts-expect-error case 2: a list is no stream
  @Task({ needs: ['rows'] })
  list(_rows: Row[]): void {}
  // @ts-expect-error case 3: one record is no stream
  @Task({ needs: ['rows'] })
  one(_row: Row): void {}
  // @ts-expect-error case 4: a taker gets no generator, which it could throw into
  @Task({ needs: ['rows'] })
  generator(_rows: AsyncGenerator<Row>): void {}
  // @ts-expect-error case 5: positions are not handed on
  @Task({ needs: ['positioned'] })
  places(_rows: AsyncIterable<{ position: string }>): void {}
  // @ts-expect-error case 6: no such option
  @Task({ buffers: 3 })
  option(): void {}
}
