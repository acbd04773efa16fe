/** The arguments of a call in a code flow: values, and results of other tasks by their names. */
import type { CallArg } from '../../../../src/model/run.ts';
import { ValueView } from '../../values/value-view.tsx';
import { readValue, type SuperValue, type TaskRunRow } from './run-data.ts';
import { labelOf } from './task-label.ts';
import style from './task-panel.module.css';

interface CallArgsProps {
  readonly args: readonly CallArg[];
  readonly rows: readonly TaskRunRow[];
  readonly onSelect: (task: string | null) => void;
}

/** In the order of the call. Secrets were masked and large values cut when recorded. */
export function CallArgs({ args, rows, onSelect }: CallArgsProps) {
  return (
    <section>
      <h3>Arguments</h3>
      <ol className={style.list}>
        {args.map((arg, at) => (
          // oxlint-disable-next-line react/no-array-index-key -- arguments never change their order.
          <li key={at}>
            <Argument arg={arg} at={at} rows={rows} onSelect={onSelect} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Argument({ arg, at, rows, onSelect }: Omit<CallArgsProps, 'args'> & { readonly arg: CallArg; readonly at: number }) {
  if ('text' in arg) return <span className={style.soft}>{arg.text}</span>;
  if ('json' in arg)
    return (
      <>
        <ValueView value={readValue({ json: arg.json, meta: arg.types } as SuperValue)} label={`Argument ${at + 1}`} />
        {arg.cut ? <p className={style.soft}>Only a part is shown; the rest was not recorded.</p> : null}
      </>
    );
  const giver = rows.find(({ key }) => key === arg.result);
  return giver === undefined ? (
    <span className={style.soft}>The result of {arg.result}</span>
  ) : (
    <button type="button" className={style.linkButton} onClick={() => onSelect(giver.id)}>
      The result of {labelOf(giver)}
    </button>
  );
}
