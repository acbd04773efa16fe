/** The versions of one key across runs, newest first, and two of them compared. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { byteSize } from '../../../../src/base/byte-size.ts';
import { shortId } from '../../../../src/model/ids.ts';
import { artifactQuery, artifactsQuery } from '../../api/list-queries.ts';
import type { ArtifactRow } from '../../api/wire-types.ts';
import { MoreButton } from '../../parts/more-button.tsx';
import { Empty, Failed, LoadingBlock, LoadingRows } from '../../parts/notices.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import { kindNames } from './artifact-list.tsx';
import style from './artifacts-page.module.css';
import { Comparison } from './comparison.tsx';

/** The page; the key and the two compared versions are in the address. */
export function VersionsPage() {
  const { key = '', ...chosen } = useSearch({ from: '/shell/artifacts/versions' });
  const query = useInfiniteQuery({ ...artifactsQuery({ key }), enabled: key !== '' });
  const versions = query.data?.pages.flatMap(({ items }) => items);
  const after = chosen.after ?? versions?.[0]?.id;
  // The chosen version need not be among those loaded, nor the one before it.
  const found = useQuery({ ...artifactQuery(after ?? ''), enabled: after !== undefined && chosen.before === undefined });
  const before = chosen.before ?? found.data?.previous ?? undefined;
  return (
    <Page title={`Versions of ${key}`}>
      {key === '' ? (
        <Empty title="No key">Choose one in the list of keys.</Empty>
      ) : versions === undefined ? (
        query.error === null ? (
          <LoadingRows />
        ) : (
          <Failed what="The list of versions" error={query.error} retry={() => void query.refetch()} />
        )
      ) : versions.length === 0 ? (
        <Empty title="No versions">Nothing is kept under this key: no run gave it, or all such runs were deleted.</Empty>
      ) : (
        <>
          <VersionTable versions={versions} before={before} after={after} />
          <MoreButton query={query} />
          {before !== undefined && after !== undefined ? (
            <Comparison before={before} after={after} />
          ) : found.error !== null ? (
            <Failed what="The chosen version" error={found.error} retry={() => void found.refetch()} />
          ) : found.data === undefined ? (
            <LoadingBlock height={160} />
          ) : (
            <p className={style.soft}>
              {versions.length === 1
                ? 'There is one version; the next one is compared with it here.'
                : 'This is the first version; choose another to compare it with.'}
            </p>
          )}
        </>
      )}
    </Page>
  );
}

interface VersionTableProps {
  readonly versions: readonly ArtifactRow[];
  readonly before: string | undefined;
  readonly after: string | undefined;
}

function VersionTable({ versions, before, after }: VersionTableProps) {
  const navigate = useNavigate({ from: '/artifacts/versions' });
  const choose = (which: 'before' | 'after', id: string): void =>
    void navigate({ search: (search) => ({ ...search, ...(before && { before }), ...(after && { after }), [which]: id }), replace: true });
  return (
    <Panel title="History">
      <table className={table.table}>
        <thead>
          <tr>
            <th>Before</th>
            <th>After</th>
            <th>Made</th>
            <th>Run</th>
            <th>Kind</th>
            <th className={table.number}>Size</th>
            <th>Hash</th>
          </tr>
        </thead>
        <tbody>
          {versions.map(({ id, createdAt, runId, runName, flow, kind, bytes, chars, sha256 }) => (
            <tr key={id}>
              {(['before', 'after'] as const).map((which) => (
                <td key={which} data-label={which}>
                  <input
                    type="radio"
                    name={which}
                    aria-label={`Compare ${shortId(id)} as the one ${which}`}
                    checked={(which === 'before' ? before : after) === id}
                    onChange={() => choose(which, id)}
                  />
                </td>
              ))}
              <td data-label="made">
                <Time at={createdAt} />
              </td>
              <td data-label="run">
                <Link to="/runs/$id" params={{ id: runId }} search={{ tab: 'artifacts' }} className={style.key}>
                  {runName}
                </Link>{' '}
                <span className={style.soft}>{flow}</span>
              </td>
              <td data-label="kind">{kindNames[kind]}</td>
              <td data-label="size" className={table.number}>
                {byteSize(bytes ?? chars)}
              </td>
              <td data-label="hash" className={style.hash} title={sha256 ? `SHA-256 ${sha256}` : undefined}>
                {sha256?.slice(0, 12) ?? ''}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
