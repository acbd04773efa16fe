/** Where a reported run is executed. */
import { useQuery } from '@tanstack/react-query';
import { reportersQuery } from '../../api/list-queries.ts';
import { StateBadge } from '../../parts/state-badge.tsx';
import { Time } from '../../parts/time.tsx';
import type { RunDetail } from './run-data.ts';

/** Its program and host; while it runs and its program is silent, since when. */
export function ReportedBy({ run }: { readonly run: RunDetail['run'] }) {
  const { owner } = run;
  const id = owner?.reporter?.id;
  const isOpen = id !== undefined && run.endedAt === null;
  const { data } = useQuery({ ...reportersQuery, enabled: isOpen });
  if (owner?.reporter === undefined) return null;
  const reporter = isOpen ? data?.find((one) => one.id === id) : undefined;
  return (
    <span>
      {owner.reporter.name} {owner.reporter.version}, {owner.host}:{owner.pid}
      {reporter === undefined || reporter.state === 'reporting' ? null : (
        <>
          {' '}
          <StateBadge name="Late" message="Its program has gone silent, so this is its last known state." bare /> last heard{' '}
          <Time at={reporter.beatAt} />
        </>
      )}
    </span>
  );
}
