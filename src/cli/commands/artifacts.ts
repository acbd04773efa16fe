/** `batuta artifact ls|show|compare`: artifacts of tasks, and how their versions differ. */
import { byteSize } from '../../base/byte-size.ts';
import { BatutaError } from '../../base/errors.ts';
import { programName } from '../../base/program-name.ts';
import type { ArtifactsClient } from '../../client/artifacts-client.ts';
import { toWire } from '../../client/wire.ts';
import { type ArtifactKind, artifactKinds } from '../../model/artifact.ts';
import { shortId } from '../../model/ids.ts';
import type { Artifact } from '../../model/run.ts';
import type { ArtifactKey, ListedArtifact } from '../../store/store.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printJson, printLines, printList } from '../print.ts';
import { readCount, usage } from '../read-options.ts';
import { artifactLines } from '../render/artifact.ts';
import { comparisonLines } from '../render/artifact-comparison.ts';
import { countOf } from '../render/bar.ts';
import type { Column } from '../render/table.ts';
import { factLines } from '../render/table.ts';
import { agoText, localMinute } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

interface ListOptions extends JsonOption {
  readonly key?: string;
  readonly keys?: boolean;
  readonly kind?: string;
  readonly search?: string;
  readonly limit?: string;
}

const columns: readonly Column[] = [
  { head: 'id' },
  { head: 'kind' },
  { head: 'name', max: 40 },
  { head: 'key', max: 40, drop: 1 },
  { head: 'size', align: 'right', drop: 3 },
  { head: 'flow', max: 30, drop: 4 },
  { head: 'run', max: 24, drop: 2 },
  { head: 'made' },
];
const keyColumns: readonly Column[] = [
  { head: 'key', max: 60 },
  { head: 'versions', align: 'right' },
  { head: 'kind' },
  { head: 'newest' },
  { head: 'size', align: 'right', drop: 1 },
  { head: 'run', max: 24, drop: 2 },
  { head: 'made' },
];

/** Prints artifacts, or the existing keys. @throws BatutaError USAGE, FILTER_INVALID */
export async function listArtifacts(context: CommandContext, options: ListOptions): Promise<ExitStatus> {
  const now = context.clock.now();
  const limit = readCount('--limit', options.limit ?? '50', { min: 1, max: 1_000 });
  const search = options.search === undefined ? {} : { search: options.search };
  if (options.keys) {
    if (options.key !== undefined || options.kind !== undefined) throw usage('--keys goes with --search and --limit alone.');
    const { items, next } = await withClient(context, (client) => client.artifacts.keys({ ...search, limit: Math.min(200, limit) }));
    return printList(context, items, options, {
      columns: keyColumns,
      cells: (item) => keyCells(item, now),
      json: ({ newest, ...key }) => ({ ...key, newest: artifactJson(newest) }),
      empty: 'No artifact has a key. Give it one by ctx.artifact.table(name, rows, { key }).',
      cut: next === null ? null : 'first',
    });
  }
  const filter = { ...search, ...(options.key === undefined ? {} : { key: options.key }), ...kindOf(options.kind), limit };
  const { items, next } = await withClient(context, (client) => client.artifacts.list(filter));
  return printList(context, items, options, {
    columns,
    cells: (item) => cellsOf(item, now),
    json: artifactJson,
    empty: options.key === undefined ? 'No artifacts.' : `Nothing was given under the key ${options.key}.`,
    cut: next === null ? null : 'newest',
  });
}

function kindOf(text: string | undefined): { readonly kind?: ArtifactKind } {
  if (text === undefined) return {};
  const kind = artifactKinds.find((one) => one === text.toLowerCase());
  if (kind === undefined) throw usage(`--kind must be one of ${artifactKinds.join(', ')}, not '${text}'.`);
  return { kind };
}

function cellsOf(artifact: ListedArtifact, now: number): string[] {
  const { id, kind, name, key, flow, runName, createdAt } = artifact;
  return [shortId(id), kind, oneLine(name), oneLine(key ?? ''), sizeOf(artifact), oneLine(flow), oneLine(runName), agoText(createdAt, now)];
}

function keyCells({ key, versions, newest }: ArtifactKey, now: number): string[] {
  const { id, kind, runName, createdAt } = newest;
  return [oneLine(key), countOf(versions), kind, shortId(id), sizeOf(newest), oneLine(runName), agoText(createdAt, now)];
}

function sizeOf({ bytes, chars }: ListedArtifact): string {
  return byteSize(bytes ?? chars);
}

/** Without the reference to its bytes. */
function artifactJson<A extends Omit<Artifact, 'data'>>({ ref: _ref, ...artifact }: A): object {
  return toWire(artifact) as object;
}

/** Prints one, or the newest version of a key. @throws BatutaError USAGE, ARTIFACT_NOT_FOUND */
export async function showArtifact(
  context: CommandContext,
  id: string | undefined,
  options: JsonOption & { readonly key?: string },
): Promise<ExitStatus> {
  const artifact = await withClient(context, async ({ artifacts }) => artifacts.get(await idOf(artifacts, id, options.key)));
  const { terminal, clock } = context;
  if (options.json) return printJson(terminal, artifactJson(artifact));
  const { out } = terminal;
  const { kind, name, key, flow, runName, runId, createdAt, bytes, sha256 } = artifact;
  const facts = [
    ['id', artifact.id],
    ['key', key ? oneLine(key) : null],
    ['run', `${oneLine(flow)}  ${oneLine(runName)}  ${out.paint.dim(shortId(runId))}`],
    ['made', `${localMinute(createdAt)}  (${agoText(createdAt, clock.now())})`],
    ['size', bytes ? byteSize(bytes) : null],
    ['sha256', sha256 ?? null],
  ] as const;
  out.line(`${kind}  ${out.paint.bold(oneLine(name))}`);
  printLines(out, factLines(facts, out.paint, 8));
  out.line('');
  printLines(out, artifactLines(artifact, { paint: out.paint, width: out.columns }));
  return 0;
}

/** Prints how two differ; status 0 whether or not they do. @throws BatutaError USAGE, ARTIFACT_NOT_FOUND, ARTIFACT_INVALID */
export async function compareTwo(
  context: CommandContext,
  ids: readonly string[],
  options: JsonOption & { readonly key?: string; readonly by?: string },
): Promise<ExitStatus> {
  const { terminal } = context;
  const comparison = await withClient(context, async ({ artifacts }) => {
    const [before, after] = await pairOf(artifacts, ids, options.key);
    return artifacts.compare(before, after, options.by === undefined ? {} : { by: options.by });
  });
  if (options.json) return printJson(terminal, comparison);
  printLines(terminal.out, comparisonLines(comparison, terminal.out.paint));
  return 0;
}

async function pairOf(artifacts: ArtifactsClient, ids: readonly string[], key: string | undefined): Promise<readonly [string, string]> {
  if (key === undefined) {
    const [first, second, more] = ids;
    if (first === undefined || more !== undefined) throw usage('Give one id, two with the earlier first, or --key <key>.');
    if (second !== undefined) return [first, second];
    const { id, key: own, previous } = await artifacts.get(first);
    if (previous !== null) return [previous, id];
    throw usage(
      own ? `${id} is the first version of ${own}; give two ids.` : `${id} has no key, and so no version before it; give two ids.`,
    );
  }
  if (ids.length > 0) throw usage('--key replaces ids.');
  const { items } = await artifacts.list({ key, limit: 2 });
  const [after, before] = items;
  if (after !== undefined && before !== undefined) return [before.id, after.id];
  throw missing(key, after === undefined ? 'Nothing was given' : 'One version alone was given');
}

/** The given id, or that of the newest version of a key. @throws BatutaError USAGE, ARTIFACT_NOT_FOUND */
export async function idOf(artifacts: ArtifactsClient, id: string | undefined, key: string | undefined): Promise<string> {
  if ((id === undefined) === (key === undefined)) throw usage('Give an id or --key <key>.');
  if (id !== undefined) return id;
  const [newest] = (await artifacts.list({ key: key ?? '', limit: 1 })).items;
  if (newest === undefined) throw missing(key ?? '', 'Nothing was given');
  return newest.id;
}

function missing(key: string, what: string): BatutaError {
  return new BatutaError('ARTIFACT_NOT_FOUND', `${what} under the key ${key}. List keys with: ${programName()} artifact ls --keys`, {
    details: { key },
  });
}
