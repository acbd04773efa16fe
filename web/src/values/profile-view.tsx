/** A CPU profile kept by a task: its flame graph, and below it a table of the slowest functions. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { byteSize } from '../../../src/base/byte-size.ts';
import type { ArtifactFile } from '../../../src/model/artifact.ts';
import { get } from '../api/http.ts';
import { Failed, LoadingRows } from '../parts/notices.tsx';
import style from './artifact-view.module.css';
import { FlameView, msText } from './flame-view.tsx';
import { busiest, readProfile } from './profile-tree.ts';
import { TableView } from './table-view.tsx';

/** A larger one is not loaded. */
const mostBytes = 64 * 1024 * 1024;
/** Rows of the table. */
const listed = 20;

export function ProfileView({ id, file }: { readonly id: string; readonly file: ArtifactFile }) {
  const isTooLarge = file.bytes > mostBytes;
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['profile', id],
    // Null, as a query may not return undefined.
    queryFn: async ({ signal }) => (await get<unknown>(`/artifacts/${encodeURIComponent(id)}/content`, undefined, signal)) ?? null,
    enabled: !isTooLarge,
    // A kept profile never changes.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const root = useMemo(() => readProfile(data), [data]);
  if (isTooLarge)
    return (
      <p className={style.soft}>
        {`The profile has ${byteSize(file.bytes)}, and no more than ${byteSize(mostBytes)} are drawn here. Download it and open it in the developer tools of a browser.`}
      </p>
    );
  if (error !== null) return <Failed what="The profile" error={error} retry={() => void refetch()} />;
  if (isPending) return <LoadingRows />;
  if (root === null) return <p className={style.soft}>The file is not a CPU profile of Node.js, so nothing can be drawn of it.</p>;
  if (root.totalMs === 0) return <p className={style.soft}>Nothing was executed while the profile was taken.</p>;
  const rows = busiest(root, listed).map(({ name, place, selfMs }) => ({
    function: name,
    place,
    'own time': msText(selfMs),
    share: `${((100 * selfMs) / root.totalMs).toFixed(1)} %`,
  }));
  return (
    <>
      <FlameView root={root} name={file.fileName} />
      <h4 className={style.heading}>Functions by the time in their own code</h4>
      <TableView rows={rows} name={`Functions of ${file.fileName} by the time in their own code`} />
    </>
  );
}
