/** When a value was last set, and by whom. */
import { useQuery } from '@tanstack/react-query';
import { recentChangesQuery } from '../../api/secret-queries.ts';
import { usePermission } from '../../api/session.ts';
import type { Audit } from '../../api/wire-types.ts';
import { Time } from '../../parts/time.tsx';
import style from './secrets.module.css';

interface ChangedByProps {
  /** Action in the audit, e.g. `secrets.set`. */
  readonly action: string;
  readonly name: string;
  readonly updatedAt: string | undefined;
}

/** The instant, and the author if in the audit: changes by the command line directly on the database are not there. */
export function ChangedBy({ action, name, updatedAt }: ChangedByProps) {
  const may = usePermission('admin');
  const { data: changes = [] } = useQuery({ ...recentChangesQuery, enabled: may.allowed });
  if (updatedAt === undefined) return null;
  const who = whoSet(changes, action, name, updatedAt);
  return (
    <>
      <Time at={updatedAt} />
      {who === null ? null : <span className={style.who}> by {who}</span>}
    </>
  );
}

/** Who made the change of that instant; null if the newest recorded change is older. */
export function whoSet(changes: readonly Audit[], action: string, name: string, updatedAt: string): string | null {
  const noted = changes.find((change) => change.action === action && change.target === name);
  return noted !== undefined && Date.parse(noted.at) >= Date.parse(updatedAt) ? noted.who : null;
}
