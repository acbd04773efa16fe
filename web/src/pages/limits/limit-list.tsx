/** Limits, each with its holders and waiters. */
import { Link } from '@tanstack/react-router';
import type { Limit } from '../../api/wire-types.ts';
import { Action } from '../../parts/action.tsx';
import { durationText } from '../../parts/format.ts';
import { Time } from '../../parts/time.tsx';
import { Slots } from '../workers/slots.tsx';
import style from './limit-list.module.css';

interface LimitListProps {
  readonly limits: readonly Limit[];
  /** Why nothing may be changed; null if it may. */
  readonly notAllowed: string | null;
  readonly onSet: (limit: Limit) => void;
  readonly onDelete: (limit: Limit) => void;
}

/** Where limits that cannot be changed here are declared. */
const declared = 'A flow or deployment declares this limit; change it there.';
const ofKey = 'This is one value of the key of a rate; change that rate.';

/** A limit and a rate may share a name, as may a rate and one key value of another, which cannot be changed. */
function keyOf({ name, rate, changeable }: Limit): string {
  return [name, rate === undefined ? 'limit' : 'rate', changeable].join(' ');
}

/** One block per limit. */
export function LimitList({ limits, notAllowed, onSet, onDelete }: LimitListProps) {
  return (
    <ul className={style.list}>
      {limits.map((limit) => {
        const reason = limit.changeable ? notAllowed : limit.name.startsWith('tag:') ? ofKey : declared;
        return (
          <li key={keyOf(limit)} className={style.limit}>
            <div className={style.head}>
              <strong className={style.name}>{limit.name}</strong>
              <Slots used={limit.held} of={limit.slots} />
              {limit.rate === undefined ? null : <RateUse rate={limit.rate} />}
              <span className={style.soft}>{limit.waiting === 0 ? 'none waiting' : `${limit.waiting} waiting`}</span>
              <span className={style.deeds}>
                <Action size="compact-xs" disabledReason={reason} onClick={() => onSet(limit)}>
                  Change
                </Action>
                <Action size="compact-xs" disabledReason={reason} onClick={() => onDelete(limit)}>
                  Delete
                </Action>
              </span>
            </div>
            <Holders title="held by" holders={limit.holders} total={limit.held} />
            <Holders title="waiting" holders={limit.waiters} total={limit.waiting} />
          </li>
        );
      })}
    </ul>
  );
}

/** The window of a rate, and when it has room again. */
function RateUse({ rate }: { readonly rate: NonNullable<Limit['rate']> }) {
  return (
    <span className={style.soft}>
      per {durationText(rate.perMs)}
      {rate.key === null ? null : `, for each ${rate.key}`}
      {rate.nextAt === null ? null : (
        <>
          , room again <Time at={rate.nextAt} />
        </>
      )}
    </span>
  );
}

/** Most names shown; the rest are counted. */
const named = 12;

function Holders({ title, holders, total }: { readonly title: string; readonly holders: Limit['holders']; readonly total: number }) {
  if (holders.length === 0) return null;
  return (
    <div className={style.holders}>
      <span className={style.title}>{title}</span>
      {holders.slice(0, named).map((holder) => (
        <span key={`${holder.runId} ${holder.taskRunId}`} className={style.holder}>
          <Link to="/runs/$id" params={{ id: holder.runId }} search={holder.taskRunId === null ? {} : { task: holder.taskRunId }}>
            {holder.runName}
          </Link>{' '}
          <span className={style.soft}>
            <Time at={holder.sinceAt} />
            {holder.nextAt === undefined ? null : (
              <>
                , goes on <Time at={holder.nextAt} />
              </>
            )}
          </span>
        </span>
      ))}
      {total > named ? <span className={style.soft}>and {total - named} more</span> : null}
    </div>
  );
}
