/** The inbox: open questions of runs to people, and their decisions. */
import { SegmentedControl } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type InboxRow, inboxItemQuery, inboxQuery } from '../../api/inbox-queries.ts';
import { usePermission } from '../../api/session.ts';
import { MoreButton } from '../../parts/more-button.tsx';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { Page } from '../../parts/page.tsx';
import { DecideDialog } from './decide-dialog.tsx';
import { InboxTable } from './inbox-table.tsx';

/** The page at `/inbox`; `item` opens one. */
export function InboxPage() {
  const { show = 'open', item } = useSearch({ from: '/shell/inbox' });
  const navigate = useNavigate({ from: '/inbox' });
  const may = usePermission('operator');
  const query = useInfiniteQuery(inboxQuery(show === 'all' ? 'all' : 'open'));
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  const open = (chosen: string | undefined): void =>
    void navigate({ search: { ...(show === 'all' ? { show } : {}), ...(chosen === undefined ? {} : { item: chosen }) } });
  return (
    <Page
      title="Inbox"
      actions={
        <SegmentedControl
          aria-label="Which decisions"
          value={show}
          onChange={(value) => void navigate({ search: value === 'all' ? { show: 'all' } : {} })}
          data={[
            { value: 'open', label: 'To decide' },
            { value: 'all', label: 'All' },
          ]}
        />
      }
    >
      {query.data === undefined ? (
        query.error === null ? (
          <LoadingRows rows={6} />
        ) : (
          <Failed what="The inbox" error={query.error} retry={() => void query.refetch()} />
        )
      ) : items.length === 0 ? (
        <Empty title={show === 'all' ? 'Nothing was ever to be decided' : 'Nothing is to be decided'}>
          A flow asks people by <code>{"ctx.waitFor('approve', { title })"}</code>, and waits here for the answer.
        </Empty>
      ) : (
        <>
          <InboxTable items={items} withRun disabledReason={may.why} onDecide={({ id }) => open(id)} />
          <MoreButton query={query} />
        </>
      )}
      {item === undefined ? null : <OneItem id={item} known={items.find(({ id }) => id === item)} onClose={() => open(undefined)} />}
    </Page>
  );
}

interface OneItemProps {
  readonly id: string;
  /** The row in the list. */
  readonly known: InboxRow | undefined;
  readonly onClose: () => void;
}

/** The dialog of an open item; for another, e.g. linked from a mail, its status. */
function OneItem({ id, known, onClose }: OneItemProps) {
  const { data: asked, error, refetch } = useQuery({ ...inboxItemQuery(id), enabled: known === undefined });
  const item = known ?? asked;
  if (item === undefined) return error === null ? null : <Failed what="This decision" error={error} retry={() => void refetch()} />;
  if (item.status === 'open') return <DecideDialog key={id} item={item} onClose={onClose} />;
  return known === undefined ? <InboxTable items={[item]} withRun disabledReason={null} onDecide={onClose} /> : null;
}
