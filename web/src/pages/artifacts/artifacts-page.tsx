/** Artifacts of all runs. */
import { SegmentedControl, Select } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { artifactsQuery } from '../../api/list-queries.ts';
import { SearchField } from '../../parts/search-field.tsx';
import { MoreButton } from '../../parts/more-button.tsx';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { Page } from '../../parts/page.tsx';
import { type ArtifactKind, artifactKinds } from '../../../../src/model/artifact.ts';
import { KeyList } from './key-list.tsx';
import { ArtifactList, kindNames } from './artifact-list.tsx';
import style from './artifacts-page.module.css';

const kinds = artifactKinds.map((value) => ({ value, label: kindNames[value] }));

/** The page; its filters are in the address. */
export function ArtifactsPage() {
  const search = useSearch({ from: '/shell/artifacts' });
  const navigate = useNavigate();
  const { by, ...filter } = search;
  const query = useInfiniteQuery({ ...artifactsQuery(filter), enabled: by === undefined });
  const items = query.data?.pages.flatMap((page) => page.items);
  const show = (next: {
    readonly kind?: ArtifactKind | undefined;
    readonly by?: 'key' | undefined;
    readonly search?: string | undefined;
  }): void => void navigate({ to: '/artifacts', search: Object.fromEntries(Object.entries(next).filter(([, value]) => Boolean(value))) });
  return (
    <Page title="Artifacts">
      <search className={style.filters} aria-label="Filters">
        <SegmentedControl
          aria-label="What is listed"
          data={[
            { value: 'newest', label: 'Newest' },
            { value: 'key', label: 'By key' },
          ]}
          value={by ?? 'newest'}
          onChange={(value) => show(value === 'key' ? { search: search.search, by: 'key' } : { search: search.search })}
        />
        {by === undefined ? (
          <Select
            aria-label="Kind"
            placeholder="Kind"
            data={kinds}
            value={search.kind ?? null}
            clearable
            clearButtonProps={{ 'aria-label': 'Any kind' }}
            onChange={(kind) => show({ ...search, kind: kind ?? undefined })}
          />
        ) : null}
        <SearchField
          key={search.search ?? ''}
          by="name"
          text={search.search ?? ''}
          onChange={(text) => show({ ...search, search: text })}
        />
      </search>
      {by === 'key' ? (
        <KeyList search={search.search} />
      ) : items === undefined ? (
        query.error === null ? (
          <LoadingRows />
        ) : (
          <Failed what="The list of artifacts" error={query.error} retry={() => void query.refetch()} />
        )
      ) : items.length === 0 ? (
        <NoArtifacts isFiltered={Object.keys(filter).length > 0} />
      ) : (
        <ArtifactList artifacts={items} />
      )}
      {by === undefined ? <MoreButton query={query} /> : null}
    </Page>
  );
}

function NoArtifacts({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <Empty title="No artifact fits these filters">Choose another kind, or another part of the name.</Empty>;
  return (
    <Empty title="No artifacts yet">
      Tasks show tables, Markdown, charts, images and files by <code>ctx.artifact</code>; what they show is listed here, newest first.
    </Empty>
  );
}
