/** Tags of a run, flow or deployment. */
import { useState } from 'react';
import style from './tags.module.css';

/** Number shown at first. */
const shownFirst = 8;

/** Each once; of many only the first, with a button that shows the rest. */
export function Tags({ tags }: { readonly tags: readonly string[] }) {
  const [isWhole, setWhole] = useState(false);
  const all = [...new Set(tags)];
  const shown = isWhole || all.length <= shownFirst + 1 ? all : all.slice(0, shownFirst);
  return (
    <>
      {shown.map((tag) => (
        <span key={tag} className={style.tag}>
          {tag}
        </span>
      ))}
      {shown.length === all.length ? null : (
        <button type="button" className={style.more} onClick={() => setWhole(true)}>
          {all.length - shown.length} more tags
        </button>
      )}
    </>
  );
}

/** As text for a table cell: the first ones, and the number of others. */
export function tagsText(tags: readonly string[]): string {
  const all = [...new Set(tags)];
  return all.length <= 4 ? all.join(', ') : `${all.slice(0, 3).join(', ')} and ${all.length - 3} more`;
}
