import { expect, test } from 'vitest';
import { Batch } from '../../../src/store/batch.ts';

test('the bytes of a flush are those of UTF-8, of messages, fields and artifacts', () => {
  const batch = new Batch();
  expect(batch.bytes).toBe(0);
  const line = { runId: 'r', taskRunId: null, at: 1, level: 30 };
  batch.logs.push({ ...line, message: 'Zoë: 3 €', fields: null });
  expect(batch.bytes).toBe(11);
  batch.logs.push({ ...line, message: '', fields: { price: '€' } });
  expect(batch.bytes).toBe(11 + '{"price":"€"}'.length + 2);
  const artifact = { id: 'a', runId: 'r', taskRunId: null, kind: 'table', name: 't', data: [{ a: 'ä' }], createdAt: 1 } as const;
  batch.addArtifact({ runId: 'r', epoch: 1 }, artifact);
  expect(batch.bytes).toBe(26 + '[{"a":"ä"}]'.length + 1);
});
