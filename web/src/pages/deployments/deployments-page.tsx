/** All deployments with their next runs. */
import { Select, TextInput } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { deploymentsQuery } from '../../api/deployment-queries.ts';
import { facetsQuery } from '../../api/list-queries.ts';
import { MoreButton } from '../../parts/more-button.tsx';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { Page } from '../../parts/page.tsx';
import { one, oneOf } from '../../search.ts';
import { DeploymentTable } from './deployment-table.tsx';

/** The page at `/deployments`. Filters are in the address. */
export function DeploymentsPage() {
  const raw = useSearch({ from: '/shell/deployments' });
  const navigate = useNavigate({ from: '/deployments' });
  const filter = {
    search: one(raw, 'search'),
    tag: one(raw, 'tag'),
    flow: one(raw, 'flow'),
    paused: oneOf(raw, 'paused', ['true', 'false']),
  };
  const query = useInfiniteQuery(deploymentsQuery(filter));
  const facets = useQuery(facetsQuery);
  const set = (change: Readonly<Record<string, string | undefined>>): void =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  const items = query.data?.pages.flatMap((page) => page.items);
  const filtered = Object.values(filter).some((value) => value !== undefined);
  return (
    <Page
      title="Deployments"
      actions={
        <>
          <Select
            aria-label="Paused or not"
            placeholder="Paused or not"
            clearable
            data={[
              { value: 'false', label: 'Not paused' },
              { value: 'true', label: 'Paused' },
            ]}
            value={filter.paused ?? null}
            onChange={(paused) => set({ paused: paused ?? undefined })}
          />
          <Select
            aria-label="Tag"
            placeholder="Tag"
            clearable
            searchable
            data={[...(facets.data?.tags ?? [])]}
            value={filter.tag ?? null}
            onChange={(tag) => set({ tag: tag ?? undefined })}
          />
          <TextInput
            data-search
            aria-label="Part of the name"
            placeholder="Part of the name"
            value={filter.search ?? ''}
            onChange={(event) => set({ search: event.currentTarget.value === '' ? undefined : event.currentTarget.value })}
          />
        </>
      }
    >
      {items === undefined ? (
        query.error === null ? (
          <LoadingRows />
        ) : (
          <Failed what="The list of deployments" error={query.error} retry={() => void query.refetch()} />
        )
      ) : items.length > 0 ? (
        <DeploymentTable deployments={items} withFlow />
      ) : filtered ? (
        <Empty title="No deployment fits" />
      ) : (
        <Empty title="No deployments yet" command='deploy my-flow --cron "0 9 * * *" --timezone America/New_York'>
          A deployment is a flow with parameters and schedules of its own: it runs at its times, and can be paused, run now and backfilled
          here.
        </Empty>
      )}
      <MoreButton query={query} />
    </Page>
  );
}
