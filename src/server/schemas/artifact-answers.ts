/** Answers about artifacts. All of them are payloads: observers are refused. */
import { z } from 'zod';
import { artifactKinds } from '../../model/artifact.ts';
import { at, count } from './run-answers.ts';

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
export const foundArtifact = z.strictObject({ ...fields, ...ofRun });
export const listedArtifact = z.strictObject({ ...fields, ...ofRun, chars: count });
export const artifactKey = z.strictObject({ key: z.string(), versions: count, newest: listedArtifact });
