/** Engines and folders that go with the test that asked for them, however it ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type EngineParts, type OpenEngine, openEngine } from './open-engine.ts';

/** An empty folder. */
export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'batuta-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An engine that is closed with the test, without grace; over a database in memory unless told otherwise. */
export async function ownEngine(parts: EngineParts = {}): Promise<OpenEngine> {
  const opened = await openEngine(parts);
  onTestFinished(() => opened.client.close({ graceMs: 0 }));
  return opened;
}

/** A file to keep a database in, for engines that stand for several processes. */
export const ownDatabase = (): string => `sqlite:${join(ownFolder(), 'batuta.db')}`;

/** Engines over one database, as those of several processes. */
export async function ownEngines(count: number, parts: EngineParts = {}): Promise<OpenEngine[]> {
  const url = ownDatabase();
  const engines: OpenEngine[] = [];
  while (engines.length < count) engines.push(await ownEngine({ ...parts, url }));
  return engines;
}
