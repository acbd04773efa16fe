/**
 * What a process keeps of the log lines and artifacts of its runs: each cut to a limit, all of one run limited together. What is cut or
 * left out is noted.
 *
 * Counted per process: a run that another takes over, and spread tasks that others execute, are counted again there.
 */
import type { Clock } from '../../base/clock.ts';
import { showBytes } from '../../base/setting-values.ts';
import type { Artifact, LogLine } from '../../model/run.ts';
import type { Store } from '../../store/store.ts';
import { cutData, cutFields, cutMessage } from './cut-output.ts';

export interface RunOutputSettings {
  /** Of a message, and of its fields, bytes of UTF-8 each. Default 64 KiB. */
  readonly maxLogLineBytes: number;
  /** Of all lines and artifacts of a run. Default 256 MiB. */
  readonly maxRunLogBytes: number;
  /** Of one artifact, as JSON. Default 4 MiB. */
  readonly maxArtifactBytes: number;
  /** Of a file that is kept as an artifact. Default 2 GiB. */
  readonly maxArtifactFileBytes: number;
  /** Of an image. Default 20 MiB. */
  readonly maxArtifactImageBytes: number;
  /** Of a chart, over all its series. Default 20,000. */
  readonly maxChartPoints: number;
}

interface Parts {
  readonly clock: Clock;
  readonly store: Store;
  readonly settings: RunOutputSettings;
}

interface Kept {
  bytes: number;
  leftOut: { lines: number; artifacts: number; bytes: number } | null;
}

/** Runs of other processes that are remembered; the oldest are forgotten first. */
const maxRemembered = 10_000;
/** Overhead of a line, bytes. */
const lineBytes = 64;
const warn = 40;

export class RunOutput {
  readonly #parts: Parts;
  readonly #underWay: ReadonlyMap<string, { readonly ended: Promise<unknown> }>;
  readonly #runs = new Map<string, Kept>();

  /** @param underWay runs that this process executes, by id */
  constructor(parts: Parts, underWay: ReadonlyMap<string, { readonly ended: Promise<unknown> }>) {
    this.#parts = parts;
    this.#underWay = underWay;
  }

  /** What is kept of a line; null for nothing. */
  lineOf(line: LogLine): LogLine | null {
    const { maxLogLineBytes } = this.#parts.settings;
    const message = cutMessage(line.message, maxLogLineBytes);
    const { fields, bytes } = cutFields(line.fields, maxLogLineBytes);
    const isKept = this.#take(line.runId, lineBytes + message.length + bytes, 'lines');
    if (!isKept) return null;
    return message === line.message && fields === line.fields ? line : { ...line, message, fields };
  }

  /** What is kept of the data of an artifact, given as JSON; undefined for nothing. */
  dataOf({ runId, kind }: Pick<Artifact, 'runId' | 'kind'>, json: string): unknown {
    const { data, bytes } = cutData(kind, json, this.#parts.settings.maxArtifactBytes);
    return this.#take(runId, bytes, 'artifacts') ? data : undefined;
  }

  get settings(): RunOutputSettings {
    return this.#parts.settings;
  }

  #take(runId: string, bytes: number, what: 'lines' | 'artifacts'): boolean {
    const kept = this.#of(runId);
    const { maxRunLogBytes } = this.#parts.settings;
    if (kept.leftOut === null && kept.bytes + bytes <= maxRunLogBytes) {
      kept.bytes += bytes;
      return true;
    }
    if (kept.leftOut === null) {
      kept.leftOut = { lines: 0, artifacts: 0, bytes: 0 };
      const most = showBytes(maxRunLogBytes);
      this.#tell(runId, `The log lines and artifacts of this run have reached ${most} (BATUTA_MAX_RUN_LOG); what follows is left out.`);
    }
    kept.leftOut[what]++;
    kept.leftOut.bytes += bytes;
    return false;
  }

  #of(runId: string): Kept {
    const known = this.#runs.get(runId);
    if (known !== undefined) return known;
    for (const oldest of this.#runs.keys()) {
      if (this.#runs.size < maxRemembered) break;
      this.#runs.delete(oldest);
    }
    const kept: Kept = { bytes: 0, leftOut: null };
    this.#runs.set(runId, kept);
    const end = (): void => this.#end(runId, kept);
    this.#underWay.get(runId)?.ended.then(end, end);
    return kept;
  }

  #end(runId: string, { leftOut }: Kept): void {
    this.#runs.delete(runId);
    if (leftOut === null) return;
    const { lines, artifacts, bytes } = leftOut;
    this.#tell(runId, `${many(lines, 'log line')} and ${many(artifacts, 'artifact')} of this run were left out, ${bytes} bytes in all.`);
  }

  #tell(runId: string, message: string): void {
    const { clock, store } = this.#parts;
    // The note about lost lines matters no more than the lines: losing it is no error.
    store.recorder.addLog({ runId, taskRunId: null, at: clock.now(), level: warn, message, fields: null }).catch(() => undefined);
  }
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
