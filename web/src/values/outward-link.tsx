/** A link that a user's flow made: followed only where its address is one of the web or of mail. */
import { safeHref } from './safe-link.ts';
import style from './markdown-view.module.css';

interface OutwardLinkProps {
  readonly href: string;
  readonly children: React.ReactNode;
}

/** The link; of another kind of address, its text and the address beside it. */
export function OutwardLink({ href, children }: OutwardLinkProps) {
  const safe = safeHref(href);
  if (safe === null) {
    return (
      <span>
        {children} <code>{href}</code>
      </span>
    );
  }
  return (
    <a className={style.link} href={safe} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}
