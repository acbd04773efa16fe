/** The next ticks. */
import { Link } from '@tanstack/react-router';
import type { HomeView } from '../../api/wire-types.ts';
import { Panel } from '../../parts/page.tsx';
import { Time } from '../../parts/time.tsx';
import style from './rows.module.css';

/** Rows shown. */
const shown = 8;

/** Soonest first. */
export function ComingUpPanel({ ticks }: { readonly ticks: HomeView['upcoming'] }) {
  return (
    <Panel title="Coming up" aside={<Link to="/deployments">all deployments</Link>}>
      {ticks.length === 0 ? <p className={style.none}>Nothing is scheduled.</p> : null}
      <ul className={style.rows}>
        {ticks.slice(0, shown).map((tick) => (
          <li key={`${tick.deployment} ${tick.schedule} ${tick.at}`}>
            <Link to="/deployments/$name" params={{ name: tick.deployment }} search={{}} className={style.row}>
              <Time at={tick.at} as="absolute" />
              <span className={style.name}>{tick.deployment}</span>
              <span className={`${style.soft} ${style.brief}`}>{tick.schedule}</span>
              <span className={style.end}>
                <Time at={tick.at} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
