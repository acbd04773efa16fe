/** Which worker has a run. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { workersQuery } from '../../api/list-queries.ts';

/** Its name, linked to the workers, as long as the fleet knows it; else the id of the process. */
export function WorkerName({ id }: { readonly id: string }) {
  const { data } = useQuery({ ...workersQuery, staleTime: 30_000, refetchInterval: false });
  const name = data?.find((worker) => worker.id === id)?.name;
  if (name === undefined) return <code>{id}</code>;
  return (
    <Link to="/workers" title={id}>
      {name}
    </Link>
  );
}
