/** Who changed what, newest first. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { idChars, isIdPart, shortId } from '../../../../src/model/ids.ts';
import { auditQuery } from '../../api/list-queries.ts';
import type { Audit } from '../../api/wire-types.ts';
import { MoreButton } from '../../parts/more-button.tsx';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { ShortId } from '../../parts/short-id.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import style from './settings.module.css';

/** The record. */
export function AuditTab() {
  const query = useInfiniteQuery(auditQuery);
  if (query.data === undefined) {
    return query.error === null ? <LoadingRows /> : <Failed what="The audit" error={query.error} retry={() => void query.refetch()} />;
  }
  const entries = query.data.pages.flatMap((page) => page.items);
  if (entries.length === 0)
    return (
      <Empty title="Nobody has changed anything yet">Every change made by a person over the server stands here: who, what, when.</Empty>
    );
  return (
    <div className={style.tab}>
      <table className={table.table}>
        <thead>
          <tr>
            <th>When</th>
            <th>Who</th>
            <th>What</th>
            <th>Of what</th>
            <th>Details</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.seq}>
              <td>
                <Time at={entry.at} />
              </td>
              <td data-label="Who">{entry.who}</td>
              <td className={table.strong}>{entry.action}</td>
              <td className={style.target}>
                <Target entry={entry} />
              </td>
              <td className={table.wide}>
                <code title={detailsOf(entry)}>{detailsOf(entry)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <MoreButton query={query} />
    </div>
  );
}

function Target({ entry: { action, target } }: { readonly entry: Audit }) {
  if (target === null) return null;
  if (action.startsWith('runs.') && action !== 'runs.delete') {
    return (
      <Link to="/runs/$id" params={{ id: target }} search={{}}>
        <code title={target}>{shortId(target)}</code>
      </Link>
    );
  }
  if (action.startsWith('deployments.') && action !== 'deployments.delete') {
    return (
      <Link to="/deployments/$name" params={{ name: target }} search={{}}>
        {target}
      </Link>
    );
  }
  return target.length === idChars && isIdPart(target) ? <ShortId id={target} /> : target;
}

function detailsOf({ details }: Audit): string {
  return details === null || details === undefined ? '' : JSON.stringify(details);
}
