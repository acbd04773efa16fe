/** An alert by e-mail. */
import { hostname } from 'node:os';
import { storableText } from '../../base/cut-text.ts';
import { type PendingDelivery, titleOf } from '../../model/alerts/alert.ts';
import { NotSent } from '../deliver.ts';
import { linesOf, titleLine } from './lines.ts';

export interface MailSettings {
  /** `smtp://user:password@host:587`, or `smtps://…`; null: no mail can be sent. */
  readonly smtpUrl: string | null;
  readonly from: string | null;
}

/** Time for one step of the exchange, ms. */
const timeoutMs = 10_000;
/** Mail programs show no more of a subject in their lists. */
const maxSubjectChars = 150;

/** Sends it. Its Message-ID derives from the delivery's id, so a mail sent twice is recognised. @throws NotSent without settings; Error */
export async function sendMail(
  { id, message }: PendingDelivery,
  to: readonly string[],
  { smtpUrl, from }: MailSettings,
  link: string | null,
  signal: AbortSignal,
): Promise<string> {
  if (smtpUrl === null) throw new NotSent('No mail can be sent: BATUTA_SMTP_URL is not set where the scheduler runs.');
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({ url: smtpUrl, connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs });
  try {
    const sent = await transport.sendMail({
      from: from ?? `batuta@${hostname()}`,
      to: [...to],
      subject: titleLine(titleOf(message), maxSubjectChars),
      text: storableText([...linesOf(message), ...(link === null ? [] : ['', link])].join('\n')),
      date: new Date(message.timestamp),
      messageId: `<${id}@batuta>`,
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Batuta-Alert': message.data.rule },
      signal,
    });
    const { response, rejected } = sent;
    return rejected.length === 0 ? response : `${response}; refused for ${rejected.join(', ')}`;
  } finally {
    transport.close();
  }
}
