/** Two versions compared: rows and cells of tables, lines of texts, images side by side, charts overlaid, facts of files. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { artifactFileOf } from '../../../../src/model/artifact.ts';
import { isChartData } from '../../../../src/model/chart.ts';
import { type ArtifactComparison, compareArtifacts } from '../../../../src/model/compare-artifacts.ts';
import type { TableComparison } from '../../../../src/model/compare-tables.ts';
import type { TextComparison } from '../../../../src/model/compare-texts.ts';
import type { FoundArtifact } from '../../../../src/client/artifacts-client.ts';
import type { Wire } from '../../../../src/client/wire.ts';
import { shortId } from '../../../../src/model/ids.ts';
import { artifactQuery } from '../../api/list-queries.ts';
import { plural } from '../../parts/format.ts';
import { Failed, LoadingBlock } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import { TableView } from '../../values/table-view.tsx';
import { ChartView } from '../../values/chart-view.tsx';
import { ImageView } from '../../values/file-view.tsx';
import style from './comparison.module.css';

/** Most rows, and lines, drawn of each kind. */
const mostRows = 200;
const mostLines = 5_000;

/** @param before and `after` are ids */
export function Comparison({ before, after }: { readonly before: string; readonly after: string }) {
  const [first, second] = [useQuery(artifactQuery(before)), useQuery(artifactQuery(after))];
  const [a, b] = [first.data, second.data];
  const comparison = useMemo(() => (a === undefined || b === undefined || a.kind !== b.kind ? null : compareArtifacts(a, b)), [a, b]);
  const error = first.error ?? second.error;
  if (error !== null)
    return <Failed what="The comparison" error={error} retry={() => void Promise.all([first.refetch(), second.refetch()])} />;
  if (a === undefined || b === undefined) return <LoadingBlock height={160} />;
  if (comparison === null) return <p>{`A ${a.kind} and a ${b.kind} cannot be compared.`}</p>;
  const [imageBefore, imageAfter] = [artifactFileOf(a), artifactFileOf(b)];
  return (
    <Panel title={comparison.isSame ? 'No differences' : 'Differences'}>
      <p className={style.sum}>
        <Origin of={a} /> → <Origin of={b} />
      </p>
      {a.kind === 'chart' && isChartData(a.data) && isChartData(b.data) ? <ChartView data={b.data} before={a.data} name={b.name} /> : null}
      {a.kind === 'image' && imageBefore !== null && imageAfter !== null ? (
        <div className={style.sides}>
          <div>
            <h3>Before</h3>
            <ImageView id={a.id} file={imageBefore} />
          </div>
          <div>
            <h3>After</h3>
            <ImageView id={b.id} file={imageAfter} />
          </div>
        </div>
      ) : null}
      {comparison.isSame || comparison.kind === 'chart' ? null : <Changes comparison={comparison} />}
    </Panel>
  );
}

function Origin({ of: { id, createdAt, runName } }: { readonly of: Pick<Wire<FoundArtifact>, 'id' | 'createdAt' | 'runName'> }) {
  return (
    <>
      {`${shortId(id)} of ${runName}, `}
      <Time at={createdAt} />
    </>
  );
}

function Changes({ comparison }: { readonly comparison: ArtifactComparison }) {
  switch (comparison.as) {
    case 'table':
      return <TableChanges {...comparison.table} />;
    case 'text':
      return <TextChanges {...comparison.text} />;
    case 'facts':
      return (
        <CellTable
          heads={['', 'Before', 'After']}
          rows={comparison.facts.map(({ fact, before, after }) => [fact, shown(before), shown(after)])}
        />
      );
  }
}

function TableChanges({ by, added, removed, changed, same, addedColumns, removedColumns }: TableComparison) {
  const cells = changed.flatMap(({ row, cells: own }) =>
    own.map(({ column, before, after }) => [shown(row), column, shown(before), shown(after)]),
  );
  return (
    <>
      <p className={style.sum}>
        {`${rowsText({ added: added.length, removed: removed.length, changed: changed.length, unchanged: same })}; matched by ${by ?? 'position'}.`}
        {addedColumns.length === 0 ? '' : ` New columns: ${addedColumns.join(', ')}.`}
        {removedColumns.length === 0 ? '' : ` Removed columns: ${removedColumns.join(', ')}.`}
      </p>
      {cells.length === 0 ? null : (
        <>
          <h3>Changed</h3>
          <CellTable heads={[by ?? 'Row', 'Column', 'Before', 'After']} rows={cells.slice(0, mostRows)} />
          <Rest count={cells.length - mostRows} what="cell" />
        </>
      )}
      {added.length === 0 ? null : (
        <div className={style.added}>
          <h3>Added</h3>
          <TableView rows={added} name="Added rows" />
        </div>
      )}
      {removed.length === 0 ? null : (
        <div className={style.removed}>
          <h3>Removed</h3>
          <TableView rows={removed} name="Removed rows" />
        </div>
      )}
    </>
  );
}

/** Counts by kind: `1 row changed, 2 the same`. */
function rowsText(counts: Readonly<Record<string, number>>): string {
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  return told.length === 0 ? 'No rows' : told.map(([sort, count], at) => `${at === 0 ? plural(count, 'row') : count} ${sort}`).join(', ');
}

function CellTable({ heads, rows }: { readonly heads: readonly string[]; readonly rows: readonly (readonly string[])[] }) {
  return (
    <table className={table.table}>
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head}>{head}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, at) => (
          // oxlint-disable-next-line react/no-array-index-key -- the rows never change.
          <tr key={at}>
            {row.map((cell, column) => {
              const side = column === row.length - 2 ? 'before' : column === row.length - 1 ? 'after' : undefined;
              return (
                // oxlint-disable-next-line react/no-array-index-key -- the columns never change.
                <td key={column} data-label={heads[column]?.toLowerCase() || undefined} data-side={side} className={style.cell}>
                  {cell}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function TextChanges({ parts, added, removed, isWhole }: TextComparison) {
  const lines = parts.flatMap(({ is, lines: own }) => own.map((text) => ({ is, text })));
  return (
    <>
      <p className={style.sum}>
        {`${plural(added, 'line')} added, ${removed} removed.`}
        {isWhole ? ' They have too little in common to be compared line by line.' : ''}
      </p>
      <pre className={style.lines} tabIndex={0} aria-label="Lines of both">
        {lines.slice(0, mostLines).map(({ is, text }, at) => (
          // oxlint-disable-next-line react/no-array-index-key -- the lines never change.
          <span key={at} data-is={is}>
            {`${is === 'added' ? '+' : is === 'removed' ? '-' : ' '} ${text}\n`}
          </span>
        ))}
      </pre>
      <Rest count={lines.length - mostLines} what="line" />
    </>
  );
}

function Rest({ count, what }: { readonly count: number; readonly what: string }) {
  return count > 0 ? <p className={style.sum}>{`and ${plural(count, what)} more`}</p> : null;
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
