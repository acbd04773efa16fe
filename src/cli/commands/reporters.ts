/** `batuta reporter ls`: programs that report from elsewhere. */
import { byteSize } from '../../base/byte-size.ts';
import { formatDuration } from '../../base/duration.ts';
import { programName } from '../../base/program-name.ts';
import { toWire } from '../../client/wire.ts';
import type { Reporter } from '../../model/report.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printList } from '../print.ts';
import { countOf } from '../render/bar.ts';
import type { Paint } from '../render/shapes.ts';
import type { Column } from '../render/table.ts';
import { agoText } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

const columns: readonly Column[] = [
  { head: 'reporter', max: 40 },
  { head: 'version', max: 20 },
  { head: 'state' },
  { head: 'where', max: 40, drop: 2 },
  { head: 'runs', align: 'right' },
  { head: 'waits', align: 'right', drop: 3 },
  { head: 'last heard', drop: 1 },
];

/** Prints the reporters by name, the newest first; one not heard from for 30 s is silent. */
export async function listReporters(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const reporters = await withClient(context, (client) => client.figures.reporters());
  return printList(context, reporters, options, {
    columns,
    cells: (reporter, paint) => [
      oneLine(reporter.name),
      oneLine(reporter.version),
      stateText(reporter, paint),
      oneLine(`${reporter.host} (${reporter.pid})`),
      String(reporter.openRuns),
      reporter.waitingItems === 0 ? '' : `${countOf(reporter.waitingItems)}, ${byteSize(reporter.waitingBytes)}`,
      agoText(reporter.beatAt, context.clock.now()),
    ],
    json: (reporter) => toWire(reporter),
    empty: `Nobody reports to this database. A program does with BATUTA_REPORT_URL and a key: ${programName()} key create --name edge --role reporter`,
  });
}

function stateText({ state, silentMs }: Reporter, paint: Paint): string {
  if (state === 'reporting') return paint.green(state);
  return state === 'silent' ? paint.red(`silent for ${formatDuration(silentMs)}`) : paint.dim(state);
}
