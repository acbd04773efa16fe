/** Colours of the sixteen every terminal has, so that they follow the user's own theme on light and dark grounds. */
import pc from 'picocolors';

/** The colours in use; with `on` false every one of them gives its text back as it is. */
export type Paint = ReturnType<typeof pc.createColors>;

/** Colours for one stream. */
export function paintOf(on: boolean): Paint {
  return pc.createColors(on);
}
