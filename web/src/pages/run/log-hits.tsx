/** Hits of a search in a log: their number, and navigation between them. */
import { ActionIcon } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useEffectEvent } from 'react';
import { Icon } from '../../parts/icon.tsx';
import style from '../../logs/logs.module.css';
import { loadLogs } from './run-data.ts';

/** Most hits searched at once. */
const mostHits = 1_000;

interface LogHitsProps {
  readonly runId: string;
  readonly task: string | undefined;
  readonly level: number | undefined;
  readonly search: string | undefined;
  /** The linked line. */
  readonly line: number | undefined;
  readonly live: boolean;
  readonly onGo: (seq: number) => void;
}

/** Nothing without a search. Scrolls to the first hit automatically. */
export function LogHits({ runId, task, level, search, line, live, onGo }: LogHitsProps) {
  const { data: hits, isFetching } = useQuery({
    queryKey: ['run', runId, 'hits', task ?? '', level ?? 0, search ?? ''],
    enabled: search !== undefined,
    queryFn: async ({ signal }) => (await loadLogs(runId, { task, level, search, limit: mostHits }, signal)).map(({ seq }) => seq),
    staleTime: live ? 5_000 : Number.POSITIVE_INFINITY,
  });
  const go = useEffectEvent(onGo);
  const first = hits?.[0];
  const isAtHit = line !== undefined && hits?.includes(line) === true;
  useEffect(() => {
    if (first !== undefined && !isAtHit) go(first);
    // Only a new search scrolls to its first hit.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [first, search]);
  if (search === undefined) return null;
  if (hits === undefined) return <span className={style.hits}>{isFetching ? 'searching' : ''}</span>;
  if (hits.length === 0) return <span className={style.hits}>no hits</span>;
  const at = line === undefined ? -1 : hits.findIndex((seq) => seq >= line);
  const place = at < 0 ? hits.length - 1 : at;
  const step = (by: number): void => onGo(hits[(place + by + hits.length) % hits.length] ?? 0);
  return (
    <span className={style.hits} role="status">
      {isAtHit ? `${place + 1} of ` : ''}
      {hits.length >= mostHits ? `${mostHits.toLocaleString('en')}+` : hits.length} {hits.length === 1 ? 'hit' : 'hits'}
      <ActionIcon aria-label="Previous hit" onClick={() => step(-1)} className={style.up ?? ''}>
        <Icon name="chevron" />
      </ActionIcon>
      <ActionIcon aria-label="Next hit" onClick={() => step(1)}>
        <Icon name="chevron" />
      </ActionIcon>
    </span>
  );
}
