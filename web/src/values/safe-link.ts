/** Which foreign URLs may be followed from the page. Pure. */

const allowed = new Set(['http:', 'https:', 'mailto:']);

/** The URL if it is a web or mail address, else null: then it is shown as text. */
export function safeHref(href: string): string | null {
  try {
    const url = new URL(href.trim());
    return allowed.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
