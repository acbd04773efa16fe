/** Why the run is not running, or why it failed: one sentence where one looks first. */
import { Link } from '@tanstack/react-router';
import { shortId } from '../../../../src/model/ids.ts';
import { toneOf } from '../../parts/tone.ts';
import type { RunDetail } from './run-data.ts';
import style from './run-page.module.css';

/** Nothing while the run is fine. */
export function WhyBanner({ detail: { run, why } }: { readonly detail: RunDetail }) {
  if (why !== null) {
    return (
      <div className={style.banner} style={toneOf(run.state.name)} role="status">
        <strong>Why it is not running</strong>
        <span>{why.message}</span>
        {why.holders.map((id) => (
          <Link key={id} to="/runs/$id" params={{ id }}>
            run {shortId(id)}
          </Link>
        ))}
      </div>
    );
  }
  const sentence = run.error?.message ?? run.state.message;
  if (sentence === null || run.state.type === 'COMPLETED' || run.state.type === 'RUNNING') return null;
  return (
    <div className={style.banner} style={toneOf(run.state.name)} role="status">
      <strong>{run.state.type === 'FAILED' || run.state.type === 'CRASHED' ? 'What went wrong' : run.state.name}</strong>
      <span>{sentence}</span>
      {run.error?.code == null ? null : <code>{run.error.code}</code>}
    </div>
  );
}
