/** An alert as a message for an incoming webhook of Slack. */
import { cutText, storableText } from '../../base/cut-text.ts';
import { type AlertMessage, titleOf } from '../../model/alerts/alert.ts';
import { linesOf, titleLine } from './lines.ts';

/** Longest text of a section, and of what a notification shows. Source: https://docs.slack.dev/reference/block-kit/blocks/section-block */
const maxChars = { section: 3_000, title: 300 };
/** One escaped character and the sign that something was cut off. */
const minChars = 8;

/**
 * The title, the lines and the link, in this order; what is too long is cut in the lines.
 *
 * Source: https://docs.slack.dev/messaging/formatting-message-text for the three characters that are escaped, which cannot be cut in two here.
 */
export function slackBody(message: AlertMessage, link: string | null): object {
  const title = escapedUpTo(titleLine(titleOf(message), maxChars.title), maxChars.title);
  const head = `*${title}*\n`;
  const foot = link === null ? '' : `\n<${escaped(link).replaceAll('|', '%7C')}|Open in Batuta>`;
  const lines = escapedUpTo(storableText(linesOf(message).join('\n')), maxChars.section - head.length - foot.length);
  return { text: title, blocks: [{ type: 'section', text: { type: 'mrkdwn', text: `${head}${lines}${foot}` } }] };
}

/** The beginning of a text that, once escaped, has at most `most` UTF-16 units: so many characters or fewer, however they are counted. */
function escapedUpTo(text: string, most: number): string {
  // An address of the dashboard that fills all of it leaves no place for anything else.
  if (most < minChars) return '';
  for (let chars = most; ; ) {
    const shown = escaped(cutText(text, chars, '…'));
    if (shown.length <= most) return shown;
    chars = Math.max(1, Math.min(chars - 1, Math.floor((chars * most) / shown.length)));
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
