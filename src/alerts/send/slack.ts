/** An alert as a message for a Slack incoming webhook. */
import { cutText, storableText } from '../../base/cut-text.ts';
import { type AlertMessage, titleOf } from '../../model/alerts/alert.ts';
import { linesOf, titleLine } from './lines.ts';

/** Longest text of a section, and of a notification. Source: https://docs.slack.dev/reference/block-kit/blocks/section-block */
const maxChars = { section: 3_000, title: 300 };
/** One escaped character and the ellipsis. */
const minChars = 8;

/**
 * The title, the lines and the link, in this order; if too long, the lines are cut.
 *
 * Source: https://docs.slack.dev/messaging/formatting-message-text for the three escaped characters, whose escapes are never split.
 */
export function slackBody(message: AlertMessage, link: string | null): object {
  const title = escapedUpTo(titleLine(titleOf(message), maxChars.title), maxChars.title);
  const head = `*${title}*\n`;
  const foot = link === null ? '' : `\n<${escaped(link).replaceAll('|', '%7C')}|Open in Batuta>`;
  const lines = escapedUpTo(storableText(linesOf(message).join('\n')), maxChars.section - head.length - foot.length);
  return { text: title, blocks: [{ type: 'section', text: { type: 'mrkdwn', text: `${head}${lines}${foot}` } }] };
}

/** The longest prefix of a text that, once escaped, has at most `most` UTF-16 units: so also at most `most` characters. */
function escapedUpTo(text: string, most: number): string {
  // A dashboard URL that fills the limit leaves no room for anything else.
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
