/** Tags of a run, flow or deployment. */
import { useState } from 'react';
import style from './tags.module.css';

/** So many are shown at first. */
const shownFirst = 8;

/** Each once; many are cut to the first ones, with a button that shows the rest. */
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

/** As text for a cell of a table: the first ones, and how many more. */
export function tagsText(tags: readonly string[]): string {
  const all = [...new Set(tags)];
  return all.length <= 4 ? all.join(', ') : `${all.slice(0, 3).join(', ')} and ${all.length - 3} more`;
}
