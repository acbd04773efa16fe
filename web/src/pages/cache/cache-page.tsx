/** The cache: entries, the run that made each, hits, and expiry. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { send } from '../../api/http.ts';
import { cacheQuery } from '../../api/list-queries.ts';
import { queryClient } from '../../api/query-client.ts';
import { usePermission } from '../../api/session.ts';
import type { CacheRow, CacheFigures } from '../../api/wire-types.ts';
import { Action } from '../../parts/action.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { countText, percentText, plural } from '../../parts/format.ts';
import { MoreButton } from '../../parts/more-button.tsx';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { Page } from '../../parts/page.tsx';
import { CacheTable } from './cache-table.tsx';

/** What is about to be cleared: one entry, or all. */
type Clearing = { readonly entry: CacheRow | null };

/** The page. */
export function CachePage() {
  const query = useInfiniteQuery(cacheQuery);
  const may = usePermission('operator');
  const [clearing, setClearing] = useState<Clearing | null>(null);
  const [first] = query.data?.pages ?? [];
  const entries = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page
      title="Cache"
      actions={
        <Action
          disabledReason={may.why ?? (entries.length === 0 ? 'Nothing is cached.' : null)}
          onClick={() => setClearing({ entry: null })}
        >
          Clear all
        </Action>
      }
    >
      {first === undefined ? (
        query.error === null ? (
          <LoadingRows rows={6} />
        ) : (
          <Failed what="The cache" error={query.error} retry={() => void query.refetch()} />
        )
      ) : entries.length === 0 ? (
        <Empty title="Nothing is cached">
          A task with <code>{"cache: '1 hour'"}</code> is executed once for the same inputs; later runs take its value. What was made stands
          here.
        </Empty>
      ) : (
        <>
          <p>{figuresText(first.totals)}</p>
          <CacheTable entries={entries} notAllowed={may.why} onClear={(entry) => setClearing({ entry })} />
          <MoreButton query={query} />
        </>
      )}
      {clearing === null || first === undefined ? null : (
        <ClearCache entry={clearing.entry} entries={first.totals.entries} onClose={() => setClearing(null)} />
      )}
    </Page>
  );
}

function figuresText({ entries, hits, misses, waits }: CacheFigures): string {
  const share = hits + misses === 0 ? '' : ` (${percentText(hits / (hits + misses))} found)`;
  return `${plural(entries, 'entry', 'entries')}: ${countText(hits)} hits, ${countText(misses)} misses${share}, ${countText(waits)} waits.`;
}

interface ClearCacheProps {
  /** Null for all. */
  readonly entry: CacheRow | null;
  readonly entries: number;
  readonly onClose: () => void;
}

/** Says what will be computed again. */
function ClearCache({ entry, entries, onClose }: ClearCacheProps) {
  const clear = async (): Promise<void> => {
    await send('POST', '/cache/clear', entry === null ? {} : { key: entry.id });
    await queryClient.invalidateQueries({ queryKey: ['cache'] });
  };
  return (
    <Confirm
      opened
      onClose={onClose}
      title={entry === null ? 'Clear the cache' : `Clear ${entry.task} of ${entry.flow}`}
      destructive
      onConfirm={clear}
    >
      <p>{entry === null ? plural(entries, 'value is', 'values are') : 'This value is'} made again by the next run that asks for it.</p>
    </Confirm>
  );
}
