/** Shown in place of content the role observer may not see. */
import style from './notices.module.css';

/** One calm line. */
export function Hidden() {
  return <p className={style.hidden}>Hidden for the role observer.</p>;
}
