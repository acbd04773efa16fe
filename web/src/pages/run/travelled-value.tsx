/** A value of a run or task run: its tree, a text if there is none, or a link if it is large. */
import { basePath } from '../../api/http.ts';
import { useSeesPayloads } from '../../api/session.ts';
import { Hidden } from '../../parts/hidden.tsx';
import { ValueView } from '../../values/value-view.tsx';
import { isCut, readValue, type SuperValue } from './run-data.ts';
import style from './task-panel.module.css';

interface TravelledValueProps {
  readonly value: SuperValue | null;
  readonly label: string;
  /** Text if there is no value. */
  readonly none: string;
}

/** The value, drawn. */
export function TravelledValue({ value, label, none }: TravelledValueProps) {
  const isHidden = !useSeesPayloads();
  if (isHidden) return <Hidden />;
  if (value === null) return <p className={style.soft}>{none}</p>;
  if (isCut(value)) {
    return (
      <p className={style.soft}>
        {(value.cut.bytes / 1_048_576).toFixed(1)} MiB are too much to show here.{' '}
        <a className={style.link} href={`${basePath}${value.cut.download}`} download>
          Download it
        </a>
      </p>
    );
  }
  return <ValueView value={readValue(value)} label={label} />;
}
