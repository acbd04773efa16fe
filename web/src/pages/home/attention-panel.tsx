/** What needs attention, worst first. */
import { Link } from '@tanstack/react-router';
import type { HomeView } from '../../api/wire-types.ts';
import { useNow } from '../../now.ts';
import { Command } from '../../parts/command.tsx';
import { failureText } from '../../parts/failure-text.ts';
import { Panel } from '../../parts/page.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { Time } from '../../parts/time.tsx';
import style from './rows.module.css';

type Item = HomeView['attention'][number];

const states: Readonly<Record<Item['kind'], string>> = {
  failing: 'Failed',
  late: 'Late',
  lost: 'Crashed',
  'no-worker': 'Late',
  'no-scheduler': 'Late',
};

interface AttentionPanelProps {
  readonly items: readonly Item[];
  /** Whether any flow is known, and any worker alive. */
  readonly hasFlows: boolean;
  readonly hasWorker: boolean;
}

/** Failing and late deployments, lost owners, queues without workers, ticks without a scheduler; else what is missing before anything can run. */
export function AttentionPanel({ items, hasFlows, hasWorker }: AttentionPanelProps) {
  const now = useNow(60_000);
  return (
    <Panel title="Needs attention" aside={items.length === 0 ? undefined : items.length}>
      {items.length > 0 ? null : !hasFlows ? (
        <p className={style.none}>
          No flow is known yet: make one with <Command>init</Command>.
        </p>
      ) : !hasWorker ? (
        <p className={style.none}>
          No worker is running, so no run starts. Start one with <Command>worker</Command>, or all in one process with{' '}
          <Command>dev</Command>.
        </p>
      ) : (
        <p className={style.none}>Nothing is wrong.</p>
      )}
      <ul className={style.rows}>
        {items.map((item) => (
          <li key={`${item.kind} ${item.name} ${item.runId}`}>
            <Target item={item}>
              <StateBadge name={states[item.kind]} bare />
              <span className={style.name}>{item.name}</span>
              <Message item={item} now={now} />
              <span className={style.end}>
                <Time at={item.sinceAt} />
              </span>
            </Target>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** Number of consecutive failures, and the cause of the newest, with times for the viewer. */
function Message({ item: { message, failure }, now }: { readonly item: Item; readonly now: number }) {
  const sentence = failure === null ? null : failureText(failure, failure.alike, now);
  const text = sentence === null ? message : `${failure?.streak ?? ''} ${sentence}`;
  return (
    <span className={style.soft} title={text}>
      {text}
    </span>
  );
}

/** Link to details: the run, the deployments, the workers, else all its runs. */
function Target({ item, children }: { readonly item: Item; readonly children: React.ReactNode }) {
  if (item.runId !== null) {
    return (
      <Link to="/runs/$id" params={{ id: item.runId }} search={{}} className={style.row}>
        {children}
      </Link>
    );
  }
  if (item.kind === 'no-scheduler') {
    return (
      <Link to="/deployments" className={style.row}>
        {children}
      </Link>
    );
  }
  if (item.kind === 'no-worker') {
    return (
      <Link to="/workers" className={style.row}>
        {children}
      </Link>
    );
  }
  return (
    <Link
      to="/runs"
      search={{ ...(item.name === item.flow ? { flow: item.flow } : { deployment: item.name }), last: '7d' }}
      className={style.row}
    >
      {children}
    </Link>
  );
}
