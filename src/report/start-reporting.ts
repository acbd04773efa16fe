/** Starts the reporter of a process, by its settings. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import { cutText } from '../base/cut-text.ts';
import { packageVersion } from '../base/installed.ts';
import type { Config } from '../base/settings.ts';
import { maxNameChars, type Owner } from '../model/run.ts';
import type { Store } from '../store/store.ts';
import { ReportApi } from './report-api.ts';
import { Reporter } from './reporter.ts';

export interface ReportingParts {
  readonly config: Pick<Config, 'reportUrl' | 'reportKey' | 'reportName' | 'reportVersion' | 'reportBufferBytes' | 'reportFlushMs'>;
  readonly store: Pick<Store, 'outbox'>;
  readonly cwd: string;
  readonly owner: Owner;
  readonly isOwnerGone: (owner: Owner) => boolean;
  readonly makeId: () => string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** A started reporter; null if nothing is to be reported, or the store is not one that is reported from. */
export async function startReporting({ config, store, cwd, ...parts }: ReportingParts): Promise<Reporter | null> {
  const { reportUrl, reportKey, reportBufferBytes, reportFlushMs } = config;
  if (reportUrl === null) return null;
  if (store.outbox === null) {
    parts.log.warn('Nothing is reported to BATUTA_REPORT_URL: only runs of an embedded store (SQLite) are, and this one is PostgreSQL.');
    return null;
  }
  const reporter = new Reporter({
    ...{ ...parts, ...reporterName(config, cwd) },
    outbox: store.outbox,
    api: new ReportApi(reportUrl, reportKey),
    batuta: packageVersion(),
    maxBytes: reportBufferBytes,
    flushMs: reportFlushMs,
  });
  await reporter.start();
  return reporter;
}

/** Name and version under which a program reports: from the settings, else from the nearest package.json. */
export function reporterName(
  { reportName, reportVersion }: Pick<Config, 'reportName' | 'reportVersion'>,
  cwd: string,
): { readonly name: string; readonly version: string } {
  const found = nearestPackage(resolve(cwd));
  const name = reportName ?? found.name ?? basename(resolve(cwd));
  return { name: asLabel(name, 'program'), version: asLabel(reportVersion ?? found.version ?? '0', '0') };
}

/** As the server takes it: one line, at most as long as a name. */
function asLabel(text: string, otherwise: string): string {
  return cutText(text.replaceAll(/[\p{Cc}\p{Cs}]/gu, ' ').trim(), maxNameChars) || otherwise;
}

function nearestPackage(folder: string): { readonly name?: string; readonly version?: string } {
  try {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Readonly<Record<string, unknown>>;
    return { ...(typeof name === 'string' && { name }), ...(typeof version === 'string' && { version }) };
  } catch {
    const above = dirname(folder);
    return above === folder ? {} : nearestPackage(above);
  }
}
