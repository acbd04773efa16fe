/** Answers about artifacts, emissions and rejected records. They are payloads: observers are refused all but the number of emissions. */
import { z } from 'zod';
import { artifactKinds } from '../../model/artifact.ts';
import { at, count, value } from './run-answers.ts';

const fields = {
  id: z.string(),
  runId: z.string(),
  taskRunId: z.string().nullable(),
  kind: z.enum(artifactKinds),
  name: z.string(),
  createdAt: at,
  key: z.string().optional().describe('Under which its versions are found across runs'),
  bytes: z.number().int().min(0).optional().describe('Size of the content; of files, images and what has a key'),
  sha256: z.string().optional().describe('Of the content, hexadecimal; with its size'),
  data: z.unknown(),
};
const ofRun = { flow: z.string(), runName: z.string() };

export const artifact = z.strictObject(fields);
export const foundArtifact = z.strictObject({
  ...fields,
  ...ofRun,
  previous: z.string().nullable().describe('Id of the version of its key before it; null if it is the first, or has no key'),
});
export const listedArtifact = z.strictObject({ ...fields, ...ofRun, chars: count });
export const artifactKey = z.strictObject({ key: z.string(), versions: count, newest: listedArtifact });

const stream = z.string();

export const emissionStream = z.strictObject({ stream, count, newest: count.describe('`seq` of its last value'), at });

const emission = z.strictObject({
  seq: count,
  stream,
  taskRunId: z.string().nullable().describe('Null: the body of a code flow emitted it'),
  attempt: count,
  at,
  value: value.nullable(),
  isMissing: z.boolean().optional().describe('Its file is gone'),
});

export const emissionPage = z.strictObject({ items: z.array(emission), next: count.nullable().describe('`seq` to continue after') });

export const reject = z.strictObject({
  reason: z.string(),
  stage: z.string().describe('Name of the task'),
  position: z.unknown().describe('Of the record in its source; null where the source gives none'),
  attempt: count,
  record: z.unknown(),
});

export const rejectCounts = z.strictObject({
  total: count,
  reasons: z.array(z.strictObject({ task: z.string(), reason: z.string(), count })).describe('Most first, 200 at most'),
  others: count.describe('Records of further reasons'),
});
