/** Processor and memory usage of a task run, as text. Pure. */
import type { RecordedUsage } from '../../../src/model/task-usage.ts';
import { bytesText, durationText } from './format.ts';

/** `CPU 3.2 s · 96.0 MiB`, if shared by several `CPU about 3.2 s · 96.0 MiB in its process`; null if unknown. */
export function usageText({ cpuMs = null, peakBytes = null, usageScope = null }: RecordedUsage): string | null {
  const isShared = usageScope === 'shared';
  const cpu = cpuMs === null ? null : `CPU ${isShared ? 'about ' : ''}${durationText(cpuMs)}`;
  const memory = peakBytes === null ? null : `${bytesText(peakBytes)}${isShared ? ' in its process' : ''}`;
  return cpu === null && memory === null ? null : [cpu, memory].filter((part) => part !== null).join(' · ');
}
