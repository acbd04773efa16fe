/** The task runs of a run, read repeatedly by pages; pages in which all have ended are kept. */
import type { TaskRun } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import type { Page, TaskRunFilter } from '../../store/store.ts';

/** Reads of a run. */
export interface PagedTaskRuns {
  taskRuns(id: string, filter: TaskRunFilter): Promise<Page<TaskRun>>;
}

/** Small, so that an unfinished one has few others read with it. */
const pageRows = 200;

export class FollowedPages {
  readonly #runs: PagedTaskRuns;
  readonly #id: string;
  #pages: Page<TaskRun>[] = [];
  #attempt = 0;

  constructor(runs: PagedTaskRuns, id: string) {
    this.#runs = runs;
    this.#id = id;
  }

  /**
   * All of the run, in the order they were first recorded. A new attempt of the run may have reopened ended ones.
   *
   * @param isLast whether the run has ended: then nothing is kept from before
   */
  async read(attempt: number, isLast: boolean): Promise<readonly TaskRun[]> {
    if (isLast || attempt !== this.#attempt) this.#pages = [];
    this.#attempt = attempt;
    for (let at = 0, cursor: string | null = null; at === 0 || cursor !== null; at++) {
      const known = this.#pages[at];
      const page: Page<TaskRun> = known && hasEnded(known) ? known : await this.#read(cursor);
      this.#pages[at] = page;
      cursor = page.next;
    }
    return this.#pages.flatMap(({ items }) => items);
  }

  #read(cursor: string | null): Promise<Page<TaskRun>> {
    return this.#runs.taskRuns(this.#id, { limit: pageRows, ...(cursor === null ? null : { cursor }) });
  }
}

/** Whether nothing in it changes any more in this attempt; the last page may still grow. */
function hasEnded({ items, next }: Page<TaskRun>): boolean {
  return next !== null && items.every(({ state }) => isTerminal(state.type));
}
