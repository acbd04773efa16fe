/** Resource usage of a task run or a whole run, in words. */
import { byteSize } from '../../base/byte-size.ts';
import { formatDuration } from '../../base/duration.ts';
import type { RecordedUsage } from '../../model/task-usage.ts';

/** `CPU 3s, 96.0 MiB`; '' if unknown. Usage shared by several tasks is marked: `CPU about 3s`. */
export function usedText({ cpuMs = null, peakBytes = null, usageScope = null }: RecordedUsage): string {
  const about = usageScope === 'shared' ? 'about ' : '';
  const parts = [
    ...(cpuMs === null ? [] : [`CPU ${about}${formatDuration(cpuMs)}`]),
    ...(peakBytes === null ? [] : [`${byteSize(peakBytes)}${usageScope === 'shared' ? ' of the process' : ''}`]),
  ];
  return parts.join(', ');
}
