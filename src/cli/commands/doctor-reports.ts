/** The part of `batuta doctor` that checks the server reports go to. */
import { hostnameOf, isLoopbackHost } from '../../base/loopback.ts';
import { programName } from '../../base/program-name.ts';
import type { Config } from '../../base/settings.ts';

/** Like `Check` of doctor.ts, which imports this file. */
interface ReportsCheck {
  readonly name: string;
  readonly verdict: 'good' | 'odd' | 'bad';
  readonly found: string;
  readonly mend: string | null;
}

/** Longest wait for the server's answer, ms. */
const answerMs = 5_000;

/** Whether reports reach the configured server; no check if nothing is to be reported. */
export async function checkReports({ reportUrl, reportKey, databaseUrl }: Config): Promise<ReportsCheck[]> {
  if (reportUrl === null) return [];
  const check = (verdict: ReportsCheck['verdict'], found: string, mend: string | null): ReportsCheck[] => [
    { name: 'reports', verdict, found, mend },
  ];
  if (!databaseUrl.startsWith('sqlite:'))
    return check('odd', 'nothing is reported: only runs of an embedded store (SQLite) are', 'Unset BATUTA_REPORT_URL.');
  const server = reportUrl.replace(/\/+$/, '').replace(/\/api$/, '');
  const role = await roleAt(server, reportKey);
  const makeKey = `Make one there: ${programName()} key create --name edge --role reporter, and set BATUTA_REPORT_KEY.`;
  if (role === 'away')
    return check('odd', `${server} does not answer; what happens waits on disk`, 'Check BATUTA_REPORT_URL and the server.');
  if (role === null) return check('bad', `${server} refuses the key`, makeKey);
  if (role !== 'reporter' && role !== 'admin') return check('bad', `the key has the role ${role} at ${server}`, makeKey);
  if (role === 'admin' && reportKey !== null)
    return check('odd', `${server} takes reports, by a key that may do everything there`, makeKey);
  const isPlain = server.startsWith('http:') && !isLoopbackHost(hostnameOf(server) ?? '');
  return isPlain
    ? check('odd', `${server} takes reports, over a connection that others can read`, 'Let the server be reached by https.')
    : check('good', `${server} takes reports`, null);
}

async function roleAt(server: string, key: string | null): Promise<string | null> {
  try {
    const answer = await fetch(`${server}/api/me`, {
      headers: key === null ? {} : { authorization: `Bearer ${key}` },
      redirect: 'manual',
      signal: AbortSignal.timeout(answerMs),
    });
    const me = (await answer.json()) as { readonly role?: string | null };
    return answer.ok && me.role !== undefined ? me.role : 'away';
  } catch {
    return 'away';
  }
}
