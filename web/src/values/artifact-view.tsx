/** An artifact, by kind: Markdown, a table, a chart, an image, a file, a link, JSON, progress, rejected records. Texts are never HTML. */
import { Button } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import { type ArtifactFile, type ArtifactKind, artifactFileOf, type ArtifactProgress } from '../../../src/model/artifact.ts';
import { isChartData } from '../../../src/model/chart.ts';
import { ShareBar } from '../parts/bar.tsx';
import { LoadingRows } from '../parts/notices.tsx';
import { wholePercentText } from '../parts/progress.ts';
import style from './artifact-view.module.css';
import { ChartView } from './chart-view.tsx';
import { FileView, ImageView } from './file-view.tsx';
import { MarkdownView } from './markdown-view.tsx';
import { OutwardLink } from './outward-link.tsx';
import { More, TableView } from './table-view.tsx';
import { ValueView } from './value-view.tsx';

/** Records drawn at once. */
const stretch = 100;

const ProfileView = lazy(() => import('./profile-view.tsx').then((chunk) => ({ default: chunk.ProfileView })));

interface ArtifactViewProps {
  readonly id: string;
  readonly kind: ArtifactKind;
  readonly data: unknown;
  readonly name: string;
}

/** Draws the artifact; data that does not match its kind is shown as a tree. */
export function ArtifactView({ id, kind, data, name }: ArtifactViewProps) {
  const file = artifactFileOf({ kind, data });
  if (file !== null) return kind === 'image' ? <ImageView id={id} file={file} /> : <AnyFile id={id} file={file} />;
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

/** A file; a CPU profile can be drawn as well. */
function AnyFile({ id, file }: { readonly id: string; readonly file: ArtifactFile }) {
  const [isOpen, setOpen] = useState(false);
  if (!file.fileName.endsWith('.cpuprofile')) return <FileView id={id} file={file} />;
  return (
    <>
      <FileView id={id} file={file} />
      <Button variant="default" size="compact-sm" mt={8} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? 'Hide flame graph' : 'Show flame graph'}
      </Button>
      {isOpen ? (
        <Suspense fallback={<LoadingRows />}>
          <ProfileView id={id} file={file} />
        </Suspense>
      ) : null}
    </>
  );
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

function isRecords(data: unknown): data is readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(data) && data.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row));
}

function textIn(value: unknown, key: string): string | null {
  const member = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
  return typeof member === 'string' ? member : null;
}
