/** `batuta results ls|move`: lists large results by place, and moves them. */
import { byteSize } from '../../base/byte-size.ts';
import { parsePlace, type PlaceSetting } from '../../base/result-places.ts';
import type { Config } from '../../base/settings.ts';
import type { LocalClient } from '../../client/local-client.ts';
import { moveResults, type MoveReport } from '../../engine/results/move.ts';
import type { ResultPlace } from '../../engine/results/place.ts';
import { s3Prefix, storePlace } from '../../model/result-ref.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { Interrupt } from '../interrupt.ts';
import { withLocalClient } from '../open.ts';
import { printJson, printList } from '../print.ts';
import { usage } from '../read-options.ts';
import { countOf } from '../render/bar.ts';

/** Prints the number and size of large results at each place. */
export async function listResults(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  return withLocalClient(context, async (client) => {
    const { results, store } = client.engine.services;
    const sums = (await store.results.sums()).map(({ place, count, bytes }) => ({
      place: nameOf(place),
      count,
      bytes,
      isCurrent: place === results.place.prefix,
    }));
    return printList(context, sums, options, {
      columns: [{ head: 'place', max: 80 }, { head: 'results', align: 'right' }, { head: 'size', align: 'right' }, { head: 'new ones' }],
      cells: ({ place, count, bytes, isCurrent }) => [place, countOf(count), byteSize(bytes), isCurrent ? 'go here' : ''],
      json: (sum) => sum,
      empty: `No results over 256 KiB. New ones go to ${results.place.name}.`,
    });
  });
}

interface MoveFlags extends JsonOption {
  readonly to?: string;
  readonly dryRun?: boolean;
}

/**
 * Moves those of ended runs to where new ones go, or to another readable place. Can be interrupted at any point and called again. Status 1
 * if some could not be read.
 */
export async function moveLargeResults(context: CommandContext, { to, dryRun = false, json = false }: MoveFlags): Promise<ExitStatus> {
  return withLocalClient(context, async (client, config) => {
    const { results: storage, store } = client.engine.services;
    const target = targetOf(client, config, to);
    const { terminal, clock } = context;
    const interrupt = new Interrupt({ clock, onFirst: () => undefined, onSecond: async () => undefined });
    const signal = AbortSignal.any([terminal.gone, interrupt.signal]);
    const report = await moveResults({ store, storage, to: target, isDry: dryRun, signal }).finally(() => interrupt.stop());
    const isCut = signal.aborted;
    if (json) printJson(terminal, { to: target.name, dryRun, interrupted: isCut, ...report });
    else for (const line of linesOf(report, target, dryRun, isCut)) terminal.out.line(line);
    return interrupt.status ?? (report.unreadable.length > 0 || isCut ? 1 : 0);
  });
}

function targetOf(client: LocalClient, config: Config, to: string | undefined): ResultPlace {
  const { results } = client.engine.services;
  if (to === undefined) return results.place;
  const wanted = readPlace(to);
  const known = results.known(prefixOf(wanted));
  // References name no folder: results moved to another one would be looked for in this one.
  const isFound = wanted.kind === 'folder' ? to === config.results : known !== null;
  if (known !== null && isFound) return known;
  throw usage(
    `Results in ${to} would not be found: set BATUTA_RESULTS=${to} for all processes first, or name it in BATUTA_FORMER_RESULTS.`,
  );
}

function readPlace(to: string): PlaceSetting {
  try {
    return parsePlace(to);
  } catch (error) {
    throw usage(`--to ${(error as Error).message}.`);
  }
}

function prefixOf(place: PlaceSetting): string {
  if (place.kind === 'folder') return '';
  return place.kind === 'store' ? storePlace : s3Prefix(place);
}

function linesOf({ moved, bytes, busy, unreadable }: MoveReport, to: ResultPlace, isDry: boolean, isCut: boolean): string[] {
  const what = `${countOf(moved)} ${moved === 1 ? 'result' : 'results'} (${byteSize(bytes)}) to ${to.name}.`;
  return [
    `${isDry ? 'Would move' : 'Moved'} ${what}`,
    ...(busy > 0 ? [`${countOf(busy)} stayed: their runs go on again. Move them once these have ended.`] : []),
    ...unreadable.slice(0, 20).map(({ why }) => `Not moved: ${why}`),
    ...(unreadable.length > 20 ? [`And ${countOf(unreadable.length - 20)} more that cannot be read.`] : []),
    ...(unreadable.length > 0 ? ['Run the same command on the other machines to move what is in their folders.'] : []),
    ...(isCut ? ['Interrupted; run the same command again to continue.'] : []),
  ];
}

function nameOf(place: string): string {
  if (place === '') return 'folder';
  return place === storePlace ? 'store' : place.replace(/\/$/, '');
}
