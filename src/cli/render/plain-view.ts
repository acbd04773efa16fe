/**
 * A run as plain lines, for pipes and logs: one line per transition.
 *
 * Task runs of a mapped or repeatedly called task are summed up: a line per tenth, or per doubling if the total is
 * unknown; their failures are still printed one by one, up to a limit.
 */
import { formatDuration } from '../../base/duration.ts';
import type { TaskRun } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import { countOf } from './bar.ts';
import { failureBrief } from './failure.ts';
import { shortId } from '../../model/ids.ts';
import type { RunView, TreeChange } from './live-view.ts';
import { glyphOf, type Paint } from './shapes.ts';
import type { RunTree } from './run-tree.ts';
import { taskLabel } from './summary.ts';
import { phaseOf, type TaskGroup } from './task-group.ts';
import { localSecond, tookText } from './times.ts';
import { oneLine } from './width.ts';

const maxSingle = 10;
const maxFailures = 10;

export interface PlainViewOptions {
  readonly write: (line: string) => void;
  /** Prints log lines. */
  readonly print: (text: string) => void;
  readonly paint: Paint;
  /** Wall clock, epoch ms. */
  readonly now: () => number;
}

export class PlainView implements RunView {
  readonly #options: PlainViewOptions;
  /** By run and task: the count of the last line, and the number of failures printed. */
  readonly #printed = new Map<string, { upTo: number; failures: number }>();
  readonly #lastState = new Map<string, string>();

  constructor(options: PlainViewOptions) {
    this.#options = options;
  }

  update(_tree: RunTree, changed: RunTree, change: TreeChange): void {
    if (change.kind === 'run') this.#printRun(changed);
    if (change.kind === 'task') this.#printTask(changed, change.taskRun);
  }

  print(text: string): void {
    this.#options.print(text.endsWith('\n') ? text : `${text}\n`);
  }

  say(text: string): void {
    this.print(text);
  }

  end(): void {}

  #printRun({ run }: RunTree): void {
    const { paint } = this.#options;
    if (!this.#isNew(run.id, `${run.state.name} ${run.attempt}`)) return;
    const took = run.startedAt !== null && run.endedAt !== null ? ` in ${tookText(run, run.endedAt)}` : '';
    const attempt = run.attempt > 1 ? ` (attempt ${run.attempt})` : '';
    const waits = (run.state.type === 'SCHEDULED' || run.state.type === 'PAUSED') && run.state.message !== null;
    const why = waits ? `: ${oneLine(run.state.message)}` : '';
    this.#printLine(
      `${glyphOf(run.state, paint)} ${paint.bold(oneLine(run.flow))} ${oneLine(run.name)} ${shortId(run.id)} ${run.state.name}${took}${attempt}${why}`,
    );
  }

  #printTask(tree: RunTree, taskRun: TaskRun): void {
    const group = tree.groups.get(taskRun.name);
    if (!group) return;
    const isNew = this.#isNew(taskRun.id, `${taskRun.state.name} ${taskRun.attempt}`);
    if (isTerminal(taskRun.state.type)) this.#lastState.delete(taskRun.id);
    if (!isNew || taskRun.state.type === 'PENDING' || taskRun.state.name === 'Scheduled') return;
    if (!group.mapped && group.size <= maxSingle) this.#printLine(this.#taskLine(taskRun));
    else this.#printGroup(tree, group, taskRun);
  }

  #printGroup(tree: RunTree, group: TaskGroup, taskRun: TaskRun): void {
    const key = `${tree.run.id} ${group.name}`;
    const printed = this.#printed.get(key) ?? { upTo: 0, failures: 0 };
    this.#printed.set(key, printed);
    if (phaseOf(taskRun.state) === 'failed' && printed.failures < maxFailures) {
      printed.failures++;
      this.#printLine(this.#taskLine(taskRun));
    }
    const { ended, total, items } = group;
    const step = items === null ? Math.max(maxSingle, printed.upTo) : Math.max(1, Math.ceil(items / 10));
    if (ended === 0 || (ended < printed.upTo + step && !(items !== null && ended === total && printed.upTo < total))) return;
    printed.upTo = ended;
    this.#printLine(this.#groupLine(group));
  }

  #taskLine(taskRun: TaskRun): string {
    const { paint } = this.#options;
    const { state, error, attempt, startedAt, endedAt } = taskRun;
    const took = isTerminal(state.type) && startedAt !== null && endedAt !== null ? ` in ${formatDuration(endedAt - startedAt)}` : '';
    const again = attempt > 1 ? ` (attempt ${attempt})` : '';
    const why =
      error && !['COMPLETED', 'RUNNING'].includes(state.type)
        ? `: ${failureBrief(error)}`
        : state.message === null
          ? ''
          : `: ${oneLine(state.message)}`;
    return `  ${glyphOf(state, paint)} ${taskLabel(taskRun)} ${state.name}${took}${again}${why}`;
  }

  #groupLine(group: TaskGroup): string {
    const { paint } = this.#options;
    const { ended, total, items, counts } = group;
    const count = items === null ? `${countOf(ended)} ended` : `${countOf(ended)}/${countOf(total)}`;
    const glyph = counts.failed > 0 ? paint.red('✕') : ended === total ? paint.green('✓') : paint.blueBright('●');
    return `  ${glyph} ${group.name} ${count}${counts.failed > 0 ? `, ${countOf(counts.failed)} failed` : ''}`;
  }

  #isNew(id: string, state: string): boolean {
    if (this.#lastState.get(id) === state) return false;
    this.#lastState.set(id, state);
    return true;
  }

  #printLine(line: string): void {
    this.#options.write(`${this.#options.paint.dim(localSecond(this.#options.now()))} ${line}\n`);
  }
}
