/** `batuta run --profile`: CPU profiles of the run, and of its tasks in their own threads and processes, as files. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { cutText } from '../base/cut-text.ts';
import { type Profiling, startProfiling } from '../base/profiler.ts';
import type { RunInspection } from '../client/client.ts';
import type { LocalClient } from '../client/local-client.ts';
import { artifactFileOf } from '../model/artifact.ts';
import { safeFileName } from '../model/file-name.ts';
import { shortId } from '../model/ids.ts';
import { profileEnding } from '../model/task-profile.ts';
import type { CommandContext } from './context.ts';

/** Folder of the profiles, relative to the working directory. */
const folder = join('.batuta', 'profiles');
/** Most characters of a run's name in its folder's name: at four bytes each they fit into a file system's 255, with the id appended. */
const maxNameChars = 60;

/** Records the profile of this thread until the run has ended, and prints where all profiles are. */
export class RunProfile {
  readonly #context: CommandContext;
  readonly #profiling: Profiling;

  private constructor(context: CommandContext, profiling: Profiling) {
    this.#context = context;
    this.#profiling = profiling;
  }

  static async begin(context: CommandContext): Promise<RunProfile> {
    return new RunProfile(context, await startProfiling());
  }

  /** Writes them to a folder of the run, printed on standard error. A failed write is only a warning: the run's outcome stands. */
  async keep(client: Pick<LocalClient, 'artifacts'>, { run, artifacts }: RunInspection): Promise<void> {
    const { err, cwd } = this.#context.terminal;
    // The id tells runs apart, so the name is cut, not the id.
    const path = join(cwd, folder, safeFileName(`${cutText(run.name, maxNameChars)}-${shortId(run.id)}`));
    try {
      const text = await this.#profiling.stop();
      await mkdir(path, { recursive: true });
      await write(join(path, `run${profileEnding}`), text);
      const files = artifacts.flatMap((artifact) => {
        const file = artifactFileOf(artifact);
        return file?.fileName.endsWith(profileEnding) ? [{ id: artifact.id, name: safeFileName(file.fileName) }] : [];
      });
      const taken = new Set([`run${profileEnding}`]);
      for (const { id, name } of files) {
        // A task called several times has several profiles of one name.
        const own = taken.has(name) ? `${name.slice(0, -profileEnding.length)}-${shortId(id)}${profileEnding}` : name;
        taken.add(own);
        await write(join(path, own), (await client.artifacts.content(id)).pieces);
      }
      const shown = relative(cwd, join(path, `run${profileEnding}`));
      const more = files.length === 0 ? '' : `, and beside it ${files.length === 1 ? 'one of a task' : `${files.length} of tasks`}`;
      err.line(`CPU profile of the run: ${shown}${more}`);
    } catch (error) {
      err.line(`${err.paint.yellow('warning')} The CPU profiles could not be written to ${path}: ${(error as Error).message}`);
    }
  }

  /** Discards the profile of a run that has not begun. May always be called. */
  async drop(): Promise<void> {
    await this.#profiling.stop().catch(() => undefined);
  }
}

/** Writes a temporary file first, so that the name never shows half a file. */
async function write(path: string, content: string | AsyncIterable<Uint8Array>): Promise<void> {
  const beside = `${path}.${process.pid}.part`;
  try {
    await writeFile(beside, content);
    await rename(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
}
