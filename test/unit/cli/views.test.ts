import { describe, expect, it } from 'vitest';
import { LiveView } from '../../../src/cli/render/live-view.ts';
import { paintOf } from '../../../src/cli/render/shapes.ts';
import { PlainView } from '../../../src/cli/render/plain-view.ts';
import { RunTree } from '../../../src/cli/render/run-tree.ts';
import { Screen } from '../../../src/cli/render/screen.ts';
import type { Clock } from '../../../src/base/clock.ts';
import { stateOf } from '../../../src/model/state.ts';
import { noon, runOf, taskRunOf } from './samples.ts';

const plain = paintOf(false);
const escape = String.fromCharCode(27);
/** A move or a clearing, a line break, or text. */
const tokens = new RegExp(`${escape}\\[(\\?25[lh]|\\d*[ABKJ])|\\r|\\n|[^${escape}\\r\\n]+`, 'g');

/** A terminal that is kept as lines: understands what the screen writes, and nothing else. */
class Paper {
  lines: string[] = [''];
  row = 0;
  columns = 60;
  rows = 12;
  writes = 0;

  write(text: string): void {
    this.writes++;
    for (const [part] of text.matchAll(tokens)) this.#take(part);
  }

  get text(): string[] {
    return this.lines.filter((line, at) => line !== '' || at < this.lines.length - 1);
  }

  #take(part: string): void {
    const count = Number(/\d+/.exec(part)?.[0] ?? 1);
    if (part === '\n') this.lines[++this.row] ??= '';
    else if (part === '\r' || part.startsWith('\u001b[?')) return;
    else if (part.endsWith('A') && part.startsWith('\u001b')) this.row -= count;
    else if (part.endsWith('B') && part.startsWith('\u001b')) this.row += count;
    else if (part.endsWith('K') && part.startsWith('\u001b')) this.lines[this.row] = '';
    else if (part.endsWith('J') && part.startsWith('\u001b')) this.lines.splice(this.row, this.lines.length, '');
    else this.lines[this.row] += part;
  }
}

function clockByHand(): Clock & { tick(): void } {
  const due: (() => void)[] = [];
  return {
    now: () => noon + 1_000,
    monotonic: () => 0,
    setTimer(_ms, fire) {
      due.push(fire);
      return { cancel: () => void due.splice(due.indexOf(fire), 1) };
    },
    sleep: () => Promise.resolve(),
    tick: () => due.splice(0).forEach((fire) => fire()),
  };
}

describe('the screen', () => {
  it('writes only the lines that changed', () => {
    const paper = new Paper();
    const screen = new Screen(paper);
    screen.draw(['a', 'b', 'c']);
    const written: string[] = [];
    const watched = new Screen({ write: (text) => written.push(text), columns: 60, rows: 12 });
    watched.draw(['a', 'b', 'c']);
    watched.draw(['a', 'B', 'c']);
    expect(written[1]).not.toContain('a');
    expect(written[1]).toContain('B');
    screen.draw(['a', 'B', 'c']);
    expect(paper.text).toEqual(['a', 'B', 'c']);
  });

  it('writes nothing when nothing changed, and grows and shrinks without leaving lines behind', () => {
    const paper = new Paper();
    const screen = new Screen(paper);
    screen.draw(['a', 'b']);
    const writes = paper.writes;
    screen.draw(['a', 'b']);
    expect(paper.writes).toBe(writes);
    screen.draw(['a', 'b', 'c', 'd']);
    expect(paper.text).toEqual(['a', 'b', 'c', 'd']);
    screen.draw(['z']);
    expect(paper.text).toEqual(['z']);
  });

  it('what is printed above stays above', () => {
    const paper = new Paper();
    const screen = new Screen(paper);
    screen.draw(['tree 1', 'tree 2']);
    screen.draw(['tree 1', 'tree 3'], () => paper.write('a log line\nanother\n'));
    expect(paper.text).toEqual(['a log line', 'another', 'tree 1', 'tree 3']);
  });
});

describe('the live view', () => {
  it('a thousand events and lines between two frames make one frame', () => {
    const paper = new Paper();
    const clock = clockByHand();
    const view = new LiveView({ screen: new Screen(paper), paint: plain, clock, printAbove: (text) => paper.write(text) });
    const tree = new RunTree(runOf(), { names: ['a'], edges: [] });
    view.update(tree);
    clock.tick();
    const writes = paper.writes;
    for (let at = 0; at < 1_000; at++) {
      tree.applyTaskRun(taskRunOf('a', stateOf('RUNNING'), { progress: { done: at, total: 1_000 } }));
      view.update(tree);
      view.print(`line ${at}`);
    }
    expect(paper.writes).toBe(writes);
    clock.tick();
    expect(paper.writes).toBeLessThanOrEqual(writes + 3);
    expect(paper.text.slice(0, 2)).toEqual(['line 0', 'line 1']);
    expect(paper.text.slice(-2)).toEqual([
      '● flight-delays  1.0 s · quick-otter · 00000001',
      '  ⠹ a        1.0 s  ███████████░ 99 %  999/1,000',
    ]);
  });

  it('the last state stays when it ends, and ending twice changes nothing', () => {
    const paper = new Paper();
    const clock = clockByHand();
    const view = new LiveView({ screen: new Screen(paper), paint: plain, clock, printAbove: (text) => paper.write(text) });
    const tree = new RunTree(runOf(), { names: ['a'], edges: [] });
    view.update(tree);
    view.say('Cancelling');
    tree.applyTaskRun(taskRunOf('a', stateOf('COMPLETED'), { endedAt: noon + 50 }));
    tree.run = runOf({ state: stateOf('COMPLETED'), endedAt: noon + 100 });
    view.end();
    view.end();
    expect(paper.text).toEqual(['✓ flight-delays  100 ms · quick-otter · 00000001', '  ✓ a        50 ms']);
  });
});

describe('plain lines', () => {
  function told(feed: (tree: RunTree, apply: (taskRun: ReturnType<typeof taskRunOf>) => void) => void): string[] {
    const lines: string[] = [];
    const view = new PlainView({ write: (line) => lines.push(line.trimEnd().slice(9)), print: () => {}, paint: plain, now: () => noon });
    const tree = new RunTree(runOf(), { names: [], edges: [] });
    feed(tree, (taskRun) => {
      tree.applyTaskRun(taskRun);
      view.update(tree, tree, { kind: 'task', taskRun });
    });
    return lines;
  }

  it('one line per change of state, none for progress', () => {
    const lines = told((_, apply) => {
      apply(taskRunOf('a', stateOf('RUNNING')));
      apply(taskRunOf('a', stateOf('RUNNING'), { progress: { done: 1, total: 2 } }));
      apply(taskRunOf('a', stateOf('COMPLETED'), { endedAt: noon + 1_500 }));
    });
    expect(lines).toEqual(['  ● a Running', '  ✓ a Completed in 1.5 s']);
  });

  it('a run that waits says what for', () => {
    const lines: string[] = [];
    const view = new PlainView({ write: (line) => lines.push(line.trimEnd().slice(9)), print: () => {}, paint: plain, now: () => noon });
    const waits = runOf({ state: stateOf('SCHEDULED', 'AwaitingSlot', 'Waits for the limit flow:slow (1 of 1 taken, by tidy-finch).') });
    const tree = new RunTree(waits, { names: [], edges: [] });
    view.update(tree, tree, { kind: 'run' });
    expect(lines).toEqual([expect.stringMatching(/AwaitingSlot: Waits for the limit flow:slow \(1 of 1 taken, by tidy-finch\)\.$/)]);
  });

  it('a mapped task of 1,000 items is printed in tenths', () => {
    const lines = told((tree, apply) => {
      tree.applyItems('m', 1_000);
      for (let index = 0; index < 1_000; index++) {
        apply(taskRunOf('m', stateOf('RUNNING'), { index }));
        apply(taskRunOf('m', stateOf('COMPLETED'), { index, endedAt: noon }));
      }
    });
    expect(lines).toHaveLength(10);
    expect(lines[0]).toBe('  ● m 100/1,000');
    expect(lines.at(-1)).toBe('  ✓ m 1,000/1,000');
  });

  it('a task called 10,000 times is told a bounded number of times', () => {
    const lines = told((_, apply) => {
      for (let call = 0; call < 10_000; call++)
        apply(taskRunOf('c', stateOf('COMPLETED'), { id: `c${call}`, key: `c${call}`, endedAt: noon }));
    });
    expect(lines.length).toBeLessThan(25);
  });

  it('failures of items are told one by one up to ten', () => {
    const lines = told((tree, apply) => {
      tree.applyItems('m', 100);
      for (let index = 0; index < 100; index++) apply(taskRunOf('m', stateOf('FAILED'), { index, endedAt: noon }));
    });
    expect(lines.filter((line) => line.includes('m[')).length).toBe(10);
    expect(lines.at(-1)).toBe('  ✕ m 100/100, 100 failed');
  });
});
