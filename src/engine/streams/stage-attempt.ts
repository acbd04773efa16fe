/** An attempt of a task that is connected with others by streams. */
import { runScope } from '../../model/run-context.ts';
import type { TaskRun } from '../../model/run.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { TaskAttempt } from '../task/task-attempt.ts';
import type { Stage } from './stage.ts';

export class StageAttempt extends TaskAttempt {
  readonly #stage: Stage;

  constructor(active: RunAttempt, row: TaskRun, stage: Stage) {
    super(active, stage.definition, row);
    this.#stage = stage;
    stage.execution = this;
  }

  get resumeFrom(): unknown {
    return this.#stage.resumeFrom;
  }

  /** The records of one that streams go to those who take them. */
  override collect(items: AsyncIterable<unknown>): Promise<unknown> {
    return this.#stage.gives ? runScope.run(this, () => this.#stage.handOn(items)) : super.collect(items);
  }
}
