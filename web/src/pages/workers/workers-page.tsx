/** Workers, queues and reporters: their load, and what waits. */
import { useQuery } from '@tanstack/react-query';
import { queuesQuery, reportersQuery, workersQuery } from '../../api/list-queries.ts';
import { plural } from '../../parts/format.ts';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { QueueTable } from './queue-table.tsx';
import { ReporterTable } from './reporter-table.tsx';
import { isAlive } from './worker-life.ts';
import { WorkerTable } from './worker-table.tsx';

/** All tables, polled every few seconds. */
export function WorkersPage() {
  const workers = useQuery(workersQuery);
  const queues = useQuery(queuesQuery);
  const reporters = useQuery(reportersQuery);
  const living = workers.data?.filter(isAlive) ?? [];
  const slots = living.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const taken = living.reduce((sum, { running }) => sum + running, 0);
  return (
    <Page title="Workers">
      <Panel
        title="Workers"
        aside={living.length === 0 ? undefined : `${plural(living.length, 'worker')}, ${taken} of ${slots} slots taken`}
      >
        {workers.data === undefined ? (
          <Waiting what="The list of workers" query={workers} />
        ) : workers.data.length === 0 ? (
          <Empty title="No worker is there" command="worker">
            Workers take runs from queues and execute them. What is submitted waits until one comes.
          </Empty>
        ) : (
          <WorkerTable workers={workers.data} />
        )}
      </Panel>
      <Panel title="Queues">
        {queues.data === undefined ? (
          <Waiting what="The list of queues" query={queues} />
        ) : queues.data.length === 0 ? (
          <Empty title="No queues yet">A queue appears with the first worker that serves it, or the first run that waits in it.</Empty>
        ) : (
          <QueueTable queues={queues.data} />
        )}
      </Panel>
      {reporters.data === undefined || reporters.data.length === 0 ? null : (
        <Panel title="Reports from elsewhere">
          <ReporterTable reporters={reporters.data} />
        </Panel>
      )}
    </Page>
  );
}

interface WaitingProps {
  readonly what: string;
  readonly query: { readonly error: unknown; readonly refetch: () => Promise<unknown> };
}

function Waiting({ what, query }: WaitingProps) {
  return query.error === null ? <LoadingRows rows={3} /> : <Failed what={what} error={query.error} retry={() => void query.refetch()} />;
}
