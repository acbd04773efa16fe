/** Processor and memory usage of a task run or a whole run. */
import type { RecordedUsage } from '../../../../src/model/task-usage.ts';
import { usageText } from '../../parts/usage.ts';
import style from './task-panel.module.css';

const titles = {
  thread: 'CPU time of its thread, and the most memory that was seen of its heap',
  process: 'CPU time and most memory of its process',
  shared: 'Its share of the thread that it shared with other tasks, and the memory of the whole process while it ran',
} as const;

/** Like `usageText`; nothing if unknown. */
export function Used({ usage }: { readonly usage: RecordedUsage }) {
  const text = usageText(usage);
  if (text === null) return null;
  return (
    <span className={style.soft} title={usage.usageScope ? titles[usage.usageScope] : undefined}>
      {text}
    </span>
  );
}
