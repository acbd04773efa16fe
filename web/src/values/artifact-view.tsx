/** What a task shows, by its kind: Markdown, a table, a chart, an image, a file, a link, JSON, how far it is, rejected records. All texts are text. */
import { Button } from '@mantine/core';
import { useState } from 'react';
import { type ArtifactKind, artifactFileOf, type ArtifactProgress } from '../../../src/model/artifact.ts';
import { isChartData } from '../../../src/model/chart.ts';
import { ShareBar } from '../parts/bar.tsx';
import { wholePercentText } from '../parts/progress.ts';
import style from './artifact-view.module.css';
import { ChartView } from './chart-view.tsx';
import { FileView, ImageView } from './file-view.tsx';
import { MarkdownView } from './markdown-view.tsx';
import { OutwardLink } from './outward-link.tsx';
import { describeValue } from './value-tree.ts';
import { ValueView } from './value-view.tsx';

/** Rows of a table that are drawn at once. */
const stretch = 100;
/** Columns of a table; rows that have more show them opened as JSON. */
const mostColumns = 40;

interface ArtifactViewProps {
  readonly id: string;
  readonly kind: ArtifactKind;
  readonly data: unknown;
  readonly name: string;
}

/** The artifact, drawn; what does not have the shape of its kind is shown as a tree. */
export function ArtifactView({ id, kind, data, name }: ArtifactViewProps) {
  const file = artifactFileOf({ kind, data });
  if (file !== null) return kind === 'image' ? <ImageView id={id} file={file} /> : <FileView id={id} file={file} />;
  if (kind === 'chart' && isChartData(data)) return <ChartView data={data} name={name} />;
  if (kind === 'progress' && isProgress(data)) return <ProgressView {...data} />;
  if (kind === 'markdown' && typeof data === 'string') return <MarkdownView text={data} />;
  if (kind === 'link') {
    const href = typeof data === 'string' ? data : textIn(data, 'url');
    if (href !== null) return <OutwardLink href={href}>{textIn(data, 'text') ?? href}</OutwardLink>;
  }
  if (kind === 'table' && isRecords(data)) return <TableView rows={data} name={name} />;
  if (kind === 'rejects' && Array.isArray(data)) return <Rejects items={data} name={name} />;
  return <ValueView value={data} label={name} />;
}

function ProgressView({ value, label }: ArtifactProgress) {
  return (
    <div className={style.progress}>
      <ShareBar parts={[{ share: value, tone: value === 1 ? 'completed' : 'running' }]} label={`Progress: ${wholePercentText(value)}`} />
      <span>{wholePercentText(value)}</span>
      {label === null ? null : <span className={style.soft}>{label}</span>}
    </div>
  );
}

function isProgress(data: unknown): data is ArtifactProgress {
  return typeof data === 'object' && data !== null && 'value' in data && typeof data.value === 'number' && 'label' in data;
}

export function TableView({ rows, name }: { readonly rows: readonly Readonly<Record<string, unknown>>[]; readonly name: string }) {
  const [shown, setShown] = useState(stretch);
  const columns = [...new Set(rows.slice(0, 1000).flatMap((row) => Object.keys(row)))].slice(0, mostColumns);
  if (rows.length === 0) return <p className={style.soft}>The table has no rows.</p>;
  return (
    <>
      <div className={style.scroll} tabIndex={0} role="region" aria-label={name}>
        <table className={style.table}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column}>{column}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown).map((row, at) => (
              // oxlint-disable-next-line react/no-array-index-key -- the rows never change.
              <tr key={at}>
                {columns.map((column) => (
                  <td key={column} data-number={typeof row[column] === 'number' || undefined}>
                    {cellText(row[column])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <More shown={shown} of={rows.length} onMore={() => setShown(shown + stretch * 5)} />
    </>
  );
}

function Rejects({ items, name }: { readonly items: readonly unknown[]; readonly name: string }) {
  const [shown, setShown] = useState(stretch);
  return (
    <>
      <p className={style.soft}>
        {items.length === 1 ? '1 record was rejected.' : `${items.length.toLocaleString('en')} records were rejected.`}
      </p>
      <ul className={style.rejects} aria-label={name}>
        {items.slice(0, shown).map((item, at) => (
          // oxlint-disable-next-line react/no-array-index-key -- the records never change.
          <li key={at}>
            <strong>{textIn(item, 'reason') ?? 'No reason was given'}</strong>
            <ValueView
              value={typeof item === 'object' && item !== null && 'record' in item ? item.record : item}
              label={`Record ${at + 1}`}
            />
          </li>
        ))}
      </ul>
      <More shown={shown} of={items.length} onMore={() => setShown(shown + stretch)} />
    </>
  );
}

function More({ shown, of, onMore }: { readonly shown: number; readonly of: number; readonly onMore: () => void }) {
  if (shown >= of) return null;
  return (
    <Button variant="subtle" size="compact-xs" onClick={onMore}>
      {`Show more of ${(of - shown).toLocaleString('en')}`}
    </Button>
  );
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'object') return JSON.stringify(value);
  return describeValue(value).text;
}

function isRecords(data: unknown): data is readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(data) && data.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row));
}

function textIn(value: unknown, key: string): string | null {
  const member = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
  return typeof member === 'string' ? member : null;
}
