/** A recorded error: what, where, and what caused it. */
import type { Failure } from '../../../../src/model/failure.ts';
import { ValueView } from '../../values/value-view.tsx';
import style from './task-panel.module.css';

/** The error with its stack and its causes. */
export function FailureView({ failure }: { readonly failure: Failure }) {
  const { name, message, code, stack, details, cause } = failure;
  return (
    <div className={style.failure}>
      <p className={style.message}>
        <strong>{name}</strong> {message}
      </p>
      {code === null ? null : <code>{code}</code>}
      {details === null || details === undefined ? null : <ValueView value={details} label="Details of the error" />}
      {stack === null ? null : (
        <pre className={style.stack} tabIndex={0} aria-label="Stack">
          {withoutHead(stack, message)}
        </pre>
      )}
      {cause === null ? null : (
        <>
          <p className={style.soft}>Caused by</p>
          <FailureView failure={cause} />
        </>
      )}
    </div>
  );
}

/** The stack alone: its head repeats name and message. */
function withoutHead(stack: string, message: string): string {
  const at = stack.indexOf(message);
  const rest = at >= 0 && at < 200 ? stack.slice(at + message.length) : stack;
  return rest.replace(/^\s*\n/, '').replaceAll(/^ {4}/gm, '') || stack;
}
