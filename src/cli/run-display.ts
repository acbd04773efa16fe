/**
 * What a terminal shows of a run: while it runs, the live tree, plain lines or, for `--json`, only the log; then how it ended.
 *
 * Created before the client is opened, because the process's log is printed through it.
 */
import type { RunInspection } from '../client/client.ts';
import type { EngineEvent } from '../model/events.ts';
import type { Run, TaskRun } from '../model/run.ts';
import type { CommandContext } from './context.ts';
import { OutputCapture } from './output-capture.ts';
import { LiveView, type RunView } from './render/live-view.ts';
import { PlainView } from './render/plain-view.ts';
import { RunTree, shapeOfDefinition, type TreeShape } from './render/run-tree.ts';
import { Screen } from './render/screen.ts';
import { firstFailed, summaryLines } from './render/summary.ts';
import { noCounts, phaseOf } from './render/task-group.ts';
import { guardStdout } from './stdout-guard.ts';

export class RunDisplay {
  readonly #view: RunView | null;
  readonly #writeErr: (text: string) => void;
  readonly #capture: OutputCapture | null;
  readonly #isJson: boolean;
  readonly #onExit = (): void => this.end();
  /** Whether log and view share a terminal. */
  readonly #sharesTerminal: boolean;
  #seeded: readonly TaskRun[] = [];
  #tree: RunTree | null = null;

  constructor(context: CommandContext, options: { readonly json: boolean }) {
    const { terminal } = context;
    this.#writeErr = terminal.err.write;
    const live = !options.json && terminal.out.isTty;
    this.#view = options.json ? null : live ? liveView(context) : plainView(context);
    this.#sharesTerminal = terminal.err.isTty;
    const streams = live
      ? terminal.err.isTty
        ? [process.stdout, process.stderr]
        : [process.stdout]
      : options.json
        ? [process.stdout]
        : [];
    this.#capture = streams.length === 0 ? null : new OutputCapture(streams, (text) => this.print(text));
    // Permanently: what a flow left running may still print after its run has ended.
    if (options.json) guardStdout();
    this.#isJson = options.json;
    process.once('exit', this.#onExit);
  }

  /** Prints log text, or output of a flow, on standard error without tearing the tree. */
  readonly print = (text: string): void => {
    if (this.#view && this.#sharesTerminal) this.#view.print(text);
    else this.#writeErr(text);
  };

  /** Prints a status message. */
  say(text: string): void {
    if (this.#view) this.#view.say(text);
    else this.#writeErr(`${text}\n`);
  }

  /** Takes the task runs an earlier attempt completed, which are not printed again. */
  seed(taskRuns: readonly TaskRun[]): void {
    this.#seeded = taskRuns.filter(({ state }) => ['done', 'skipped'].includes(phaseOf(state)));
  }

  /** Takes an event of the run, or of a run below it. */
  take(event: EngineEvent): void {
    if (event.kind === 'log' || !this.#view) return;
    if (this.#tree === null) {
      if (event.kind !== 'run') return;
      this.#tree = new RunTree(event.run, shapeOfDefinition(event.definition));
      for (const taskRun of this.#seeded) this.#tree.applyTaskRun(taskRun);
    }
    const changed = this.#tree.apply(event);
    if (changed) this.#view.update(this.#tree, changed, event);
  }

  /** Shows a run as stored; for one that another process executes. */
  show(run: Run, taskRuns: readonly TaskRun[], shape: TreeShape | null): void {
    this.#tree ??= new RunTree(run, shape);
    const tree = this.#tree;
    tree.run = run;
    tree.takeMapped(run);
    for (const taskRun of taskRuns) {
      tree.applyTaskRun(taskRun);
      this.#view?.update(tree, tree, { kind: 'task', taskRun });
    }
    this.#view?.update(tree, tree, { kind: 'run' });
  }

  /** Draws the last state and releases the terminal. May be called twice. */
  end(): void {
    process.off('exit', this.#onExit);
    this.#view?.end();
    if (!this.#isJson) this.#capture?.stop();
  }
}

function liveView({ terminal, clock }: CommandContext): LiveView {
  const printAbove = terminal.err.write;
  return new LiveView({ screen: new Screen(terminal.out), paint: terminal.out.paint, clock, printAbove });
}

function plainView({ terminal, clock }: CommandContext): PlainView {
  return new PlainView({ write: terminal.out.write, print: terminal.err.write, paint: terminal.out.paint, now: () => clock.now() });
}

/** Prints how a run ended, why, and where to look next, on standard output. */
export function printOutcome({ terminal, globals }: CommandContext, { run, taskRuns, result }: RunInspection): void {
  const counts = noCounts();
  for (const taskRun of taskRuns) counts[phaseOf(taskRun.state)]++;
  const failed = run.state.type === 'FAILED' || run.state.type === 'CRASHED' ? firstFailed(taskRuns) : null;
  const { out, cwd } = terminal;
  out.line();
  const options = { cwd, width: out.columns, verbose: globals.verbose };
  for (const line of summaryLines({ run, counts, failed, result }, out.paint, options)) out.line(line);
}
