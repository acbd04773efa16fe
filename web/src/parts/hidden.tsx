/** What stands where something would be that the role observer does not see. */
import style from './notices.module.css';

/** One calm line. */
export function Hidden() {
  return <p className={style.hidden}>Hidden for the role observer.</p>;
}
