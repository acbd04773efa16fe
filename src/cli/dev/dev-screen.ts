/** What `batuta dev` prints besides the runs and their log: addresses, flows, changes, errors. */
import { packageVersion } from '../../base/installed.ts';
import type { BatutaError } from '../../base/errors.ts';
import { programName } from '../../base/program-name.ts';
import type { DeployReport } from '../../client/deployments-client.ts';
import { describeSchedule } from '../../model/schedule/words.ts';
import { startText } from '../../model/triggers/words.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { CommandContext } from '../context.ts';
import { changeLine, graphLines, nextTickOf } from '../render/deployment.ts';
import { shownPath } from '../render/failure.ts';
import { agoText, localSecond } from '../render/times.ts';
import { oneLine } from '../render/width.ts';
import type { FlowNews } from './flow-set.ts';

/** Most flows named in the greeting. */
const shownFlows = 12;

export interface Greeting {
  readonly url: string;
  readonly databaseUrl: string;
  readonly flows: readonly FlowDefinition[];
  readonly paths: readonly string[];
}

export class DevScreen {
  readonly #context: CommandContext;
  /** Deployments already named. */
  readonly #named = new Set<string>();

  constructor(context: CommandContext) {
    this.#context = context;
  }

  line(text: string): void {
    this.#context.terminal.out.line(text);
  }

  greet({ url, databaseUrl, flows, paths }: Greeting): void {
    const { paint } = this.#context.terminal.out;
    const names = flows.slice(0, shownFlows).map(({ name }) => name);
    const more = flows.length > shownFlows ? `, and ${flows.length - shownFlows} more` : '';
    const known = flows.length === 0 ? `none in ${paths.join(', ')} yet; ${programName()} init makes one` : `${names.join(', ')}${more}`;
    this.line(`${paint.bold('batuta dev')} ${paint.dim(packageVersion())}`);
    for (const [label, text] of [
      ['open', paint.cyan(url)],
      ['database', databaseUrl],
      ['flows', known],
    ] as const)
      this.line(`  ${paint.dim(label.padEnd(10))}${text}`);
  }

  /** Reports that everything is up. */
  ready(): void {
    const { paint } = this.#context.terminal.out;
    this.line(paint.dim('Runs and changes of your files follow. Ctrl-C ends it.'));
  }

  /** One line per deployment; unchanged ones are named only the first time. */
  deployed(reports: readonly DeployReport[]): void {
    const { clock, terminal } = this.#context;
    const { paint } = terminal.out;
    for (const { outcome, deployment, changes, graph } of reports) {
      if (outcome === 'unchanged' && this.#named.has(deployment.name)) continue;
      this.#named.add(deployment.name);
      const schedules = deployment.schedules.map(({ schedule }) => describeSchedule(schedule));
      const words = [...schedules, startText(deployment.triggers)].filter((text) => text !== null).join('; ');
      const next = nextTickOf(deployment);
      const when = next === null ? '' : paint.dim(`, next ${agoText(next, clock.now())}`);
      const paused = deployment.pausedAt === null ? '' : `  ${paint.cyan('‖ paused')}`;
      const verb = outcome === 'unchanged' ? 'deployed' : outcome;
      this.line(
        `  ${paint.dim(verb.padEnd(10))}${paint.bold(oneLine(deployment.name))}  ${words === '' ? 'by hand' : oneLine(words)}${when}${paused}`,
      );
      if (outcome !== 'changed') continue;
      for (const text of [...changes.map((change) => changeLine(change, paint)), ...(graph ? graphLines(graph, paint) : [])])
        this.line(`            ${text}`);
    }
  }

  /** Reports what a file change meant; nothing if it meant nothing. */
  reloaded({ changes, mended }: FlowNews): void {
    const { clock, terminal } = this.#context;
    const { paint } = terminal.out;
    const at = paint.dim(localSecond(clock.now()));
    for (const { name, what, version } of changes) {
      const text = what === 'gone' ? 'is gone' : `${what === 'new' ? 'is new' : 'changed'}; runs from now on have version ${version}`;
      this.line(`${at} ${paint.yellow('↻')} ${paint.bold(oneLine(name))} ${text}`);
    }
    if (changes.length > 0) return;
    for (const file of mended) this.line(`${at} ${paint.green('✓')} ${shownPath(file, terminal.cwd)} loads again`);
  }

  error({ code, message }: BatutaError, consequence: string): void {
    const { err } = this.#context.terminal;
    err.line(`${err.paint.red('error')} ${err.paint.bold(code)}: ${oneLine(message)} ${err.paint.dim(`(${consequence})`)}`);
  }

  warn(text: string): void {
    const { err } = this.#context.terminal;
    err.line(`${err.paint.yellow('warning')} ${text}`);
  }

  ending(signal: string): void {
    const { paint } = this.#context.terminal.out;
    this.line(
      paint.yellow(`${signal}: ending. What is under way may finish, the rest continues at the next start. Ctrl-C again leaves at once.`),
    );
  }
}
