/** The versions of a deployment, each with its changes, in words and as a graph. */
import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import type { DeploymentVersion } from '../../../../src/model/deployment.ts';
import { versionsQuery } from '../../api/deployment-queries.ts';
import { differenceOf } from '../../graph/graph-difference.ts';
import { readStoredGraph } from '../../graph/stored-graph.ts';
import { Failed, LoadingBlock, LoadingRows } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import { Time } from '../../parts/time.tsx';
import style from './deployment-page.module.css';
import { specChanges } from './spec-changes.ts';

const DifferenceGraph = lazy(() => import('../../graph/difference-graph.tsx').then((chunk) => ({ default: chunk.DifferenceGraph })));

/** Newest first. */
export function Versions({ name, current }: { readonly name: string; readonly current: number }) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(versionsQuery(name));
  const versions = data?.pages.flatMap(({ items }) => items);
  return (
    <Panel title="Versions" aside={hasNextPage ? current : versions?.length}>
      {versions === undefined ? (
        error === null ? (
          <LoadingRows rows={3} />
        ) : (
          <Failed what="The versions" error={error} retry={() => void refetch()} />
        )
      ) : (
        <ol className={style.versions}>
          {/* The changes of the last one appear once its predecessor is loaded. */}
          {(hasNextPage ? versions.slice(0, -1) : versions).map((version, at) => (
            <VersionRow key={version.version} version={version} before={versions[at + 1] ?? null} isCurrent={version.version === current} />
          ))}
          {hasNextPage ? (
            <li>
              <Button variant="subtle" size="compact-xs" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                Older versions
              </Button>
            </li>
          ) : null}
        </ol>
      )}
    </Panel>
  );
}

interface VersionRowProps {
  readonly version: DeploymentVersion;
  /** The version before it; null for the first. */
  readonly before: DeploymentVersion | null;
  readonly isCurrent: boolean;
}

function VersionRow({ version, before, isCurrent }: VersionRowProps) {
  const [open, setOpen] = useState(false);
  const changes = before === null ? [] : specChanges(before.spec, version.spec);
  const [old, now] = [readStoredGraph(before?.graph), readStoredGraph(version.graph)];
  const difference = before === null ? null : differenceOf(old, now);
  return (
    <li>
      <div className={style.versionHead}>
        <strong>version {version.version}</strong>
        {isCurrent ? <span className={style.soft}>in force</span> : null}
        <code>{version.flowVersion}</code>
        <span className={style.soft}>
          <Time at={version.at} />
        </span>
        {difference === null || difference.isSame ? null : (
          <Button variant="subtle" size="compact-xs" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Hide the graph' : 'The graph changed'}
          </Button>
        )}
      </div>
      {before === null ? <p className={style.soft}>The first one.</p> : null}
      {changes.length === 0 ? null : (
        <ul className={style.changes}>
          {changes.map((change) => (
            <li key={change}>{change}</li>
          ))}
        </ul>
      )}
      {open && difference !== null ? (
        <Suspense fallback={<LoadingBlock height={280} />}>
          <DifferenceGraph difference={difference} label={`How the graph of version ${version.version} differs`} />
        </Suspense>
      ) : null}
    </li>
  );
}
