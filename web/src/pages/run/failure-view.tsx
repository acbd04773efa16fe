/** A recorded error: what, where, and its causes. */
import { useState } from 'react';
import type { Failure } from '../../../../src/model/failure.ts';
import { useSeesPayloads } from '../../api/session.ts';
import { Hidden } from '../../parts/hidden.tsx';
import { ValueView } from '../../values/value-view.tsx';
import style from './task-panel.module.css';

/** The error with its stack and its causes. */
export function FailureView({ failure }: { readonly failure: Failure }) {
  const isHidden = !useSeesPayloads();
  const { name, message, code, stack, details, cause, errors = [], errorCount = errors.length, fields, fieldsLeftOut = [] } = failure;
  if (isHidden) return <Hidden />;
  return (
    <div className={style.failure}>
      <p className={style.message}>
        <strong>{name}</strong> <LongText text={message} />
      </p>
      {code === null ? null : <code>{code}</code>}
      {details === null || details === undefined ? null : <ValueView value={details} label="Details of the error" />}
      {fields === undefined ? null : <ValueView value={fields} label="Fields of the error" />}
      {fieldsLeftOut.length === 0 ? null : <p className={style.soft}>Not recorded: {fieldsLeftOut.join(', ')}</p>}
      {stack === null ? null : (
        <pre className={style.stack} tabIndex={0} aria-label="Stack">
          {withoutHead(stack, message)}
        </pre>
      )}
      {errors.map((one, at) => (
        // oxlint-disable-next-line react/no-array-index-key -- what is recorded never changes its order.
        <div key={at} className={style.part}>
          <p className={style.soft}>
            {at + 1} of {errorCount}
          </p>
          <FailureView failure={one} />
        </div>
      ))}
      {cause === null ? null : (
        <>
          <p className={style.soft}>Caused by</p>
          <FailureView failure={cause} />
        </>
      )}
    </div>
  );
}

/** Most characters of a message shown at first. */
const shownChars = 1_000;

/** A text whose rest is shown on demand. */
function LongText({ text }: { readonly text: string }) {
  const [whole, setWhole] = useState(false);
  const more = text.length - shownChars;
  if (whole || more <= 0) return text;
  return (
    <>
      {text.slice(0, shownChars)} …{' '}
      <button type="button" className={style.linkButton} onClick={() => setWhole(true)}>
        Show {more.toLocaleString('en')} more characters
      </button>
    </>
  );
}

/** Only the stack: its head repeats name and message. */
function withoutHead(stack: string, message: string): string {
  const frames = stack.indexOf('\n    at ');
  const at = stack.indexOf(message);
  const rest = at >= 0 && at < 200 ? stack.slice(at + message.length) : frames >= 0 ? stack.slice(frames) : stack;
  return rest.replace(/^\s*\n/, '').replaceAll(/^ {4}/gm, '') || stack;
}
