/** The rows of the list: only visible ones are drawn, however many are loaded. */
import { Button } from '@mantine/core';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type RefObject, useLayoutEffect, useRef, useState } from 'react';
import { timeNow, useNow } from '../../now.ts';
import { plural } from '../../parts/format.ts';
import { Failed, LoadingRows } from '../../parts/notices.tsx';
import { BulkBar } from './bulk-bar.tsx';
import { ListEmpty } from './list-empty.tsx';
import { useLiveRuns } from './live-runs.ts';
import { RunListRow } from './run-list-row.tsx';
import style from './run-list.module.css';
import { longestByFlow, whyOf } from './run-words.ts';
import { filterOf, type RunsSearch } from './runs-search.ts';
import { useSelection } from './selection.ts';

interface RunListProps {
  readonly search: RunsSearch;
  readonly onChange: (search: RunsSearch) => void;
}

const rowPx = 32;
const whyPx = 20;
/** Rows left below at which the next page is fetched. */
const aheadRows = 30;

/** Live rows, selected ones, and more while scrolling. */
export function RunList({ search, onChange }: RunListProps) {
  const list = useLiveRuns(search);
  const { runs } = list;
  const selection = useSelection(runs.map(({ id }) => id));
  const now = useNow(5_000);
  const body = useRef<HTMLDivElement>(null);
  const top = useListTop(body, runs.length > 0);

  const virtualizer = useWindowVirtualizer({
    count: runs.length,
    estimateSize: (index) => rowPx + (runs[index] !== undefined && whyOf(runs[index], now) !== null ? whyPx : 0),
    getItemKey: (index) => runs[index]?.id ?? index,
    overscan: 20,
    scrollMargin: top,
  });
  const rows = virtualizer.getVirtualItems();
  const lastShown = rows.at(-1)?.index ?? 0;
  const wantsMore = list.hasMore && !list.isLoadingMore && lastShown >= runs.length - aheadRows;
  useLayoutEffect(() => {
    if (wantsMore) list.loadMore();
  });

  if (list.error !== null && runs.length === 0) return <Failed what="The list of runs" error={list.error} retry={list.showNew} />;
  if (list.isLoading) return <LoadingRows rows={12} />;
  const longest = longestByFlow(runs);
  return (
    <div>
      {list.newCount > 0 ? (
        <div className={style.newPlace}>
          <button
            type="button"
            className={style.new}
            onClick={() => {
              list.showNew();
              window.scrollTo({ top: 0 });
            }}
          >
            {list.newCount} new
          </button>
        </div>
      ) : null}
      {runs.length === 0 ? (
        <ListEmpty search={search} onChange={onChange} />
      ) : (
        <div role="table" aria-label="Runs" aria-rowcount={list.hasMore ? -1 : runs.length + 1} className={style.table}>
          {selection.ids.size > 0 ? (
            <BulkBar
              selection={selection}
              loaded={runs.length}
              hasMore={list.hasMore}
              filterNow={() => filterOf({ ...search, until: search.until ?? new Date().toISOString() }, timeNow())}
              onDone={list.showNew}
            />
          ) : (
            <Head onToggleAll={selection.toggleAll} />
          )}
          <div ref={body} role="rowgroup" className={style.body} style={{ height: virtualizer.getTotalSize() }}>
            {rows.map(({ index, start, key }) => {
              const run = runs[index];
              return run === undefined ? null : (
                <RunListRow
                  key={key}
                  ref={virtualizer.measureElement}
                  index={index}
                  top={start - top}
                  run={run}
                  longestMs={longest.get(run.flow) ?? 1}
                  why={whyOf(run, now)}
                  chosen={selection.isAllMatching || selection.ids.has(run.id)}
                  onToggle={selection.toggle}
                />
              );
            })}
          </div>
        </div>
      )}
      <Foot count={runs.length} hasMore={list.hasMore} isLoading={list.isLoadingMore} onMore={list.loadMore} />
    </div>
  );
}

function Head({ onToggleAll }: { readonly onToggleAll: () => void }) {
  return (
    <div role="rowgroup">
      <div role="row" className={style.head} aria-rowindex={1}>
        <span role="columnheader" className={style.choose}>
          <input type="checkbox" aria-label="Choose all loaded runs" checked={false} onChange={onToggleAll} />
        </span>
        {['State', 'Name', 'Flow', 'Started', 'Duration', 'Tasks', 'Attempt'].map((title) => (
          <span key={title} role="columnheader" data-column={title.toLowerCase()}>
            {title}
          </span>
        ))}
      </div>
    </div>
  );
}

interface FootProps {
  readonly count: number;
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly onMore: () => void;
}

function Foot({ count, hasMore, isLoading, onMore }: FootProps) {
  if (count === 0) return null;
  return (
    <div className={style.foot}>
      <span>{hasMore ? `${plural(count, 'run')} loaded` : plural(count, 'run')}</span>
      {hasMore ? (
        <Button variant="subtle" size="compact-xs" loading={isLoading} onClick={onMore}>
          Load more
        </Button>
      ) : null}
    </div>
  );
}

/** Distance of an element from the top of the page, px; updated when content above it changes its height. */
export function useListTop(element: RefObject<HTMLElement | null>, isDrawn: boolean): number {
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const measure = (): void => {
      if (element.current !== null) setTop(Math.round(element.current.getBoundingClientRect().top + window.scrollY));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [element, isDrawn]);
  return top;
}
