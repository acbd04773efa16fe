/** What alerts say: in Slack, by mail and to webhooks, whatever the names and messages of users hold. */
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sendMail } from '../../../src/alerts/send/mail.ts';
import { sender } from '../../../src/alerts/send/send.ts';
import { slackBody } from '../../../src/alerts/send/slack.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { AlertMessage, PendingDelivery } from '../../../src/model/alerts/alert.ts';
import type { AlertAction } from '../../../src/model/alerts/rule.ts';
import { openReceiver } from '../../support/alerts.ts';

const never = new AbortController().signal;
const link = 'https://batuta.example/alerts?alert=a-1&from=slack';

function messageWith(changes: Partial<AlertMessage['data']>): AlertMessage {
  return {
    type: 'alert.fired',
    timestamp: new Date(0).toISOString(),
    data: {
      ...{ alertId: 'a-1', firingId: 'f-1', rule: 'stuck', description: null, condition: 'failed', group: '', state: 'firing' },
      ...{ summary: 'It hangs.', count: 1, firstAt: new Date(0).toISOString(), lastAt: new Date(0).toISOString(), resolvedBy: null },
      ...{ flow: 'load', deployment: null, run: null },
      ...changes,
    },
  };
}

function deliveryOf(action: AlertAction, changes: Partial<AlertMessage['data']>): PendingDelivery {
  return {
    ...{ id: 'd-1', firingId: 'f-1', rule: 'stuck', kind: action.kind, receiver: action.kind, state: 'pending', attempts: 0 },
    ...{ createdAt: 0, triedAt: null, sentAt: null, answer: null, action, message: messageWith(changes) },
  };
}

describe('a message for Slack', () => {
  interface Body {
    readonly text: string;
    readonly blocks: readonly [{ readonly text: { readonly text: string } }];
  }
  const bodyOf = (changes: Partial<AlertMessage['data']>, to: string | null = link): Body => slackBody(messageWith(changes), to) as Body;
  const foot = '\n<https://batuta.example/alerts?alert=a-1&amp;from=slack|Open in Batuta>';

  test.each([
    ['plain', 'x'.repeat(5_000)],
    ['of signs that are escaped', '<&>'.repeat(2_000)],
    ['of signs that take two units', '😀'.repeat(4_000)],
    ['of families', '👨‍👩‍👧‍👦'.repeat(900)],
    ['of halves of signs', '\ud83d'.repeat(5_000)],
  ])('that is too long, %s, keeps its title and its link, and nothing in it is cut in two', (_name, summary) => {
    const [{ text }] = [bodyOf({ summary }).blocks[0].text];
    expect(text.length).toBeLessThanOrEqual(3_000);
    expect(text.length).toBeGreaterThan(2_800);
    expect(text.startsWith('*[firing] stuck*\n')).toBe(true);
    expect(text.endsWith(`…${foot}`)).toBe(true);
    expect(text.isWellFormed()).toBe(true);
    const lines = text.slice(0, -foot.length).replaceAll(/&(amp|lt|gt);/g, '');
    expect(lines).not.toMatch(/[&<>]/);
    if (_name === 'of families') expect(lines).toMatch(/\n(👨‍👩‍👧‍👦)+…$/u);
  });

  test('has nothing in its title or its lines that Slack takes for a mention or a link', () => {
    const { text, blocks } = bodyOf({ group: '<!channel>\n*b*', summary: '<https://evil.example|Open in Batuta> & <@U1>' });
    expect(text).toBe('[firing] stuck · &lt;!channel&gt; *b*');
    expect(blocks[0].text.text.replace(foot, '')).not.toMatch(/[<>]/);
    expect(blocks[0].text.text).toContain('&lt;https://evil.example|Open in Batuta&gt; &amp; &lt;@U1&gt;');
  });

  test('has a title of no more than Slack takes, and no link where there is none', () => {
    const { text, blocks } = bodyOf({ group: '&'.repeat(2_000) }, null);
    expect(text.length).toBeLessThanOrEqual(300);
    expect(text).toMatch(/^\[firing\] stuck · (&amp;)+…$/);
    expect(blocks[0].text.text).not.toContain('Open in Batuta');
  });

  test('is still one where the address of the dashboard fills all of it', () => {
    expect(bodyOf({}, `https://batuta.example/${'x'.repeat(3_000)}`).blocks[0].text.text).toContain('*[firing] stuck*');
  });
});

describe('a mail', () => {
  async function headersOf(changes: Partial<AlertMessage['data']>): Promise<{ readonly headers: string; readonly text: string }> {
    let mail = '';
    const smtp = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData(stream, _session, done) {
        stream.setEncoding('utf8');
        stream.on('data', (chunk: string) => void (mail += chunk));
        stream.on('end', () => done());
      },
    });
    onTestFinished(() => void smtp.close());
    await new Promise<void>((resolve) => void smtp.listen(0, '127.0.0.1', resolve));
    const smtpUrl = `smtp://127.0.0.1:${(smtp.server.address() as AddressInfo).port}`;
    await sendMail(deliveryOf({ kind: 'email', to: [] }, changes), ['a@example.com'], { smtpUrl, from: null }, null, never);
    const [headers = '', ...text] = mail.split('\r\n\r\n');
    return { headers, text: text.join('\r\n\r\n') };
  }
  /** The subject, with each encoded word decoded by itself, as readers do. */
  function subjectOf(headers: string): { readonly subject: string; readonly words: readonly string[] } {
    const folded = /^Subject: ((?:.*\r\n[ \t])*.*)/m.exec(headers)?.[1] ?? '';
    const words = [...folded.matchAll(/=\?UTF-8\?([QB])\?([^?]*)\?=/gi)].map(([, kind, text = '']) =>
      kind?.toUpperCase() === 'B'
        ? Buffer.from(text, 'base64').toString()
        : Buffer.from(
            text.replaceAll('_', ' ').replaceAll(/=([0-9A-F]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
            'latin1',
          ).toString(),
    );
    return { subject: words.length === 0 ? folded.replaceAll(/\r\n/g, '') : words.join(''), words };
  }

  test('with line breaks in a name has one subject and no other header', async () => {
    const { headers } = await headersOf({ group: 'nightly\r\nBcc: eve@example.com\u2028x\u0000' });
    expect(headers).not.toMatch(/^Bcc:/im);
    expect(subjectOf(headers).subject).toMatch(/stuck · nightly Bcc: eve@example\.com x/);
  });

  test('with a long name in other letters has a short subject of whole encoded words', async () => {
    const { headers } = await headersOf({ group: 'Nächtlicher Export 😀 夜間'.repeat(40) });
    const { subject, words } = subjectOf(headers);
    expect(words.length).toBeGreaterThan(1);
    for (const word of words) expect(word).not.toContain('\ufffd');
    expect([...subject].length).toBeLessThanOrEqual(150);
    expect(subject.endsWith('…')).toBe(true);
    for (const line of headers.split('\r\n')) expect(line.length).toBeLessThanOrEqual(998);
    expect(subject.startsWith('[firing] stuck · Nächtlicher Export 😀 夜間')).toBe(true);
  });

  test('with half of a sign in its text has the sign that stands for it', async () => {
    const { text } = await headersOf({ summary: 'cut \ud83d here' });
    expect(
      Buffer.from(
        text.replaceAll('=\r\n', '').replaceAll(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
        'latin1',
      ).toString(),
    ).toContain('cut \ufffd here');
  });
});

test('the body of a webhook holds no halves of signs, which other readers of JSON refuse', async () => {
  const receiver = await openReceiver();
  onTestFinished(() => receiver.close());
  const reactions = { run: async () => '', cancel: async () => undefined, pause: async () => undefined };
  const parts = {
    clock: systemClock,
    secret: async () => '',
    reactions,
    allowedHosts: ['127.0.0.1'],
    publicUrl: null,
    smtpUrl: null,
    from: null,
  };
  const delivery = deliveryOf({ kind: 'webhook', url: receiver.url, secret: null }, { summary: 'cut \ud83d here', group: 'a\nb "c"' });
  await sender(parts)(delivery, never);
  expect(receiver.taken[0]?.body).not.toMatch(/\\ud[89a-f]/i);
  expect(receiver.taken[0]?.json.data).toMatchObject({ summary: 'cut \ufffd here', group: 'a\nb "c"' });
});
