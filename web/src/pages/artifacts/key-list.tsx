/** Keys under which artifacts have versions across runs, each with its newest. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { byteSize } from '../../../../src/base/byte-size.ts';
import { artifactKeysQuery } from '../../api/list-queries.ts';
import { countText } from '../../parts/format.ts';
import { MoreButton } from '../../parts/more-button.tsx';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import { kindNames } from './artifact-list.tsx';
import style from './artifacts-page.module.css';

/** @param search part of the key */
export function KeyList({ search }: { readonly search: string | undefined }) {
  const query = useInfiniteQuery(artifactKeysQuery(search));
  const keys = query.data?.pages.flatMap(({ items }) => items);
  if (keys === undefined)
    return query.error === null ? (
      <LoadingRows />
    ) : (
      <Failed what="The list of keys" error={query.error} retry={() => void query.refetch()} />
    );
  if (keys.length === 0)
    return search === undefined ? (
      <Empty title="No artifact has a key yet">
        With <code>{'ctx.artifact.table(name, rows, { key })'}</code> an artifact has versions across runs, which are listed and compared
        here.
      </Empty>
    ) : (
      <Empty title="No key fits this search">Look for another part of the key.</Empty>
    );
  return (
    <>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Key</th>
            <th>Kind</th>
            <th className={table.number}>Versions</th>
            <th className={table.number}>Size</th>
            <th>Newest from</th>
            <th>Made</th>
          </tr>
        </thead>
        <tbody>
          {keys.map(({ key, versions, newest }) => (
            <tr key={key}>
              <td className={table.strong}>
                <Link to="/artifacts/versions" search={{ key }} className={style.key}>
                  {key}
                </Link>
              </td>
              <td data-label="kind">{kindNames[newest.kind]}</td>
              <td data-label="versions" className={table.number}>
                {countText(versions)}
              </td>
              <td data-label="size" className={table.number}>
                {byteSize(newest.bytes ?? newest.chars)}
              </td>
              <td data-label="newest from">
                {newest.runName} <span className={style.soft}>{newest.flow}</span>
              </td>
              <td data-label="made">
                <Time at={newest.createdAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <MoreButton query={query} />
    </>
  );
}
