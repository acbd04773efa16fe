/** An alert as a message for an incoming webhook of Slack. */
import { cutText } from '../../base/cut-text.ts';
import type { AlertMessage } from '../../model/alerts/alert.ts';
import { titleOf } from '../../model/alerts/alert.ts';
import { linesOf } from './lines.ts';

/** Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, and its escapes of text. */
export function slackBody(message: AlertMessage, link: string | null): object {
  const title = titleOf(message);
  const lines = linesOf(message).map(escaped);
  const text = [`*${escaped(title)}*`, ...lines, ...(link === null ? [] : [`<${link}|Open in Batuta>`])].join('\n');
  return { text: title, blocks: [{ type: 'section', text: { type: 'mrkdwn', text: cutText(text, 3_000) } }] };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
