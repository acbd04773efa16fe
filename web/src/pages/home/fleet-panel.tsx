/** Workers with their slots, and queues with their waiting runs. */
import { Link } from '@tanstack/react-router';
import type { Queue, Worker } from '../../api/wire-types.ts';
import { Command } from '../../parts/command.tsx';
import { Panel } from '../../parts/page.tsx';
import { Slots } from '../workers/slots.tsx';
import { isAlive } from '../workers/worker-life.ts';
import style from './rows.module.css';

/** Rows shown of each. */
const shown = 5;

/** Each worker with its used slots, each queue with its waiting runs. */
export function FleetPanel({ workers, queues }: { readonly workers: readonly Worker[]; readonly queues: readonly Queue[] }) {
  const living = workers.filter(isAlive);
  const busy = [...queues].sort((one, other) => other.waiting - one.waiting);
  return (
    <Panel title="Workers" aside={<Link to="/workers">{living.length} at work</Link>}>
      {living.length === 0 ? (
        <p className={style.none}>
          No worker is running: submitted runs wait. Start one with <Command>worker</Command>.
        </p>
      ) : null}
      <ul className={style.rows}>
        {living.slice(0, shown).map((worker) => (
          <li key={worker.id} className={style.row}>
            <span className={style.name}>{worker.name}</span>
            <span className={`${style.soft} ${style.brief}`}>{worker.queues.join(', ')}</span>
            <Slots used={worker.running} of={worker.concurrency} />
          </li>
        ))}
        {busy.slice(0, shown).map((queue) => (
          <li key={`queue ${queue.name}`} className={style.row}>
            <Link to="/runs" search={{ queue: queue.name, state: ['SCHEDULED', 'PENDING'], last: 'all' }} className={style.name}>
              queue {queue.name}
            </Link>
            <span className={style.end}>
              {queue.waiting} waiting · {queue.delayed} later · {queue.running} running
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
