/** Commands a page tells people to type. The dashboard cannot know how the viewer runs batuta; this works in every project. */

/** A whole line to type, e.g. `npx batuta worker` of `worker`. */
export const commandText = (command: string): string => `npx batuta ${command}`;

/** The same, in a sentence. */
export function Command({ children }: { readonly children: string }) {
  return <code>{commandText(children)}</code>;
}
