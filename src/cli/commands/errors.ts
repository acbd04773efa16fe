/** `batuta errors ls|resolve|ignore|reopen`: errors that runs ended with, grouped. */
import { programName } from '../../base/program-name.ts';
import type { ErrorGroup } from '../../client/alerts-client.ts';
import { toWire } from '../../client/wire.ts';
import { shortId } from '../../model/ids.ts';
import type { ErrorState } from '../../model/error-group.ts';
import { noteLocally } from '../audit.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printDone, printList } from '../print.ts';
import { given, readLimit, readSince } from '../read-options.ts';
import { agoText } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

interface ListOptions extends JsonOption {
  readonly all?: boolean;
  readonly flow?: string;
  readonly since?: string;
  readonly limit: string;
}

interface MarkOptions extends JsonOption {
  readonly flow?: string;
}

/** Lists open errors, or all. */
export async function listErrors(context: CommandContext, options: ListOptions): Promise<ExitStatus> {
  const now = context.clock.now();
  const since = options.since === undefined ? undefined : readSince('--since', options.since, now);
  const filter = given({ flow: options.flow, since, limit: readLimit(options.limit), state: options.all ? ('all' as const) : undefined });
  const { items, next } = await withClient(context, ({ errors }) => errors.list(filter));
  return printList(context, items, options, {
    columns: [
      { head: 'key' },
      ...(options.all ? [{ head: 'state', drop: 1 }] : []),
      { head: 'runs', align: 'right', drop: 2 },
      { head: 'flow', max: 30, drop: 3 },
      { head: 'first', drop: 5 },
      { head: 'last', drop: 4 },
      { head: 'run', drop: 6 },
      { head: 'error', max: 140, least: 24 },
    ],
    cells: (error, paint) => [
      error.key,
      ...(options.all ? [error.state] : []),
      String(error.count),
      oneLine(error.flow),
      agoText(error.firstAt, now),
      agoText(error.lastAt, now),
      paint.dim(shortId(error.lastRunId)),
      `${error.isReopened ? paint.yellow('came again: ') : ''}${paint.bold(oneLine(error.name))}${error.task === null ? '' : ` in ${oneLine(error.task)}`}: ${oneLine(error.message)}${error.frame === null ? '' : paint.dim(` at ${oneLine(error.frame)}`)}`,
    ],
    json: (error) => toWire(error),
    empty: options.all ? 'No run has ended with an error.' : `No open errors. Those that were resolved: ${programName()} errors ls --all`,
    cut: next === null ? null : 'newest',
  });
}

type MarkError = (context: CommandContext, key: string, options: MarkOptions) => Promise<ExitStatus>;

export const markError: Readonly<Record<'resolve' | 'ignore' | 'reopen', MarkError>> = {
  resolve: marking('resolved', 'is resolved; it is open again once it comes again'),
  ignore: marking('ignored', 'is ignored from now on'),
  reopen: marking('open', 'is open'),
};

function marking(state: ErrorState, done: string): MarkError {
  return async (context, key, options) => {
    const error = await withClient(context, async (client): Promise<ErrorGroup> => {
      const marked = await client.errors.mark(key, state, given({ flow: options.flow }));
      await noteLocally(client, 'errors.mark', key, { state, flow: marked.flow });
      return marked;
    });
    return printDone(context.terminal, options, toWire(error), `${oneLine(error.name)} of flow ${oneLine(error.flow)} ${done}.`);
  };
}
