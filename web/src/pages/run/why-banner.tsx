/** Why the run is not running, or why it failed: one prominent sentence. */
import { Link } from '@tanstack/react-router';
import { shortId } from '../../../../src/model/ids.ts';
import { useNow } from '../../now.ts';
import { failureText } from '../../parts/failure-text.ts';
import { toneOf } from '../../parts/tone.ts';
import type { RunDetail } from './run-data.ts';
import style from './run-page.module.css';

/** Nothing while the run is fine. */
export function WhyBanner({ detail: { run, why, alike } }: { readonly detail: RunDetail }) {
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
  return <EndBanner run={run} alike={alike} />;
}

function EndBanner({ run, alike }: Pick<RunDetail, 'run' | 'alike'>) {
  const failure = failureText(run, alike, useNow(60_000));
  const sentence = failure ?? run.state.message;
  if (sentence === null || run.state.type === 'COMPLETED' || run.state.type === 'RUNNING') return null;
  return (
    <div className={style.banner} style={toneOf(run.state.name)} role="status">
      <strong>{failure === null ? run.state.name : 'What went wrong'}</strong>
      <span>{sentence}</span>
      {failure === null && run.error?.code != null ? <code>{run.error.code}</code> : null}
    </div>
  );
}
