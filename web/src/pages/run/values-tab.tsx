/** Parameters and result of a run. */
import { Link } from '@tanstack/react-router';
import { isTerminal } from '../../../../src/model/state.ts';
import { RunDuration } from '../../parts/run-duration.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { Panel } from '../../parts/page.tsx';
import { FailureView } from './failure-view.tsx';
import type { TabProps } from './tab-props.ts';
import style from './tabs.module.css';
import { TravelledValue } from './travelled-value.tsx';

/** Parameters, result or error, and the runs it started. */
export function ValuesTab({ detail }: TabProps) {
  const { run, params, result, children } = detail;
  const none = isTerminal(run.state.type) ? 'It gave no value.' : 'It is there once the run has completed.';
  return (
    <div className={style.stack}>
      <Panel title="Parameters">
        <div className={style.padded}>
          <TravelledValue value={params} label="Parameters" none="It was given none." />
        </div>
      </Panel>
      {run.error === null ? null : (
        <Panel title="Error">
          <div className={style.padded}>
            <FailureView failure={run.error} />
          </div>
        </Panel>
      )}
      <Panel title="Result">
        <div className={style.padded}>
          <TravelledValue value={result} label="Result" none={none} />
        </div>
      </Panel>
      {children.length === 0 ? null : (
        <Panel title="Runs it started" aside={children.length}>
          <ul className={style.rows}>
            {children.map((child) => (
              <li key={child.id} className={style.row}>
                <StateBadge name={child.state.name} message={child.state.message} />
                <Link to="/runs/$id" params={{ id: child.id }} className={style.link}>
                  {child.flow} · {child.name}
                </Link>
                <RunDuration run={child} waiting />
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </div>
  );
}
