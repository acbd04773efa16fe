/** `batuta run --profile`: a CPU profile of the run, and those of its tasks in threads and processes of their own, as files. */
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

/** Where they are put, from the working directory. */
const folder = join('.batuta', 'profiles');
/** Characters of the name of a run that its folder is called by: of four bytes each they fit into the 255 that a file system takes, with the id behind. */
const maxNameChars = 60;

/** Takes the profile of this thread until the run has ended, and says where all of them are. */
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

  /** Writes them to a folder of the run, which is printed on standard error. What cannot be written is a warning: the run has ended as it has. */
  async keep(client: Pick<LocalClient, 'artifacts'>, { run, artifacts }: RunInspection): Promise<void> {
    const { err, cwd } = this.#context.terminal;
    // The id tells runs apart, so the name is cut before it is.
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
        // A task that is called several times has several of one name.
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

  /** Of a run that has not begun nothing is kept. May be called in any case. */
  async drop(): Promise<void> {
    await this.#profiling.stop().catch(() => undefined);
  }
}

/** Beside its place first, so that half of it never stands under its name. */
async function write(path: string, content: string | AsyncIterable<Uint8Array>): Promise<void> {
  const beside = `${path}.${process.pid}.part`;
  try {
    await writeFile(beside, content);
    await rename(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
}
