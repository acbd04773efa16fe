/** How long a person waits: a whole `batuta run`, and the import of the library. */
import { join } from 'node:path';
import { inFolder, inOwnProcess, medians, repeat, root, runProcess } from './measure.js';

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs }) {
  return inFolder(async (folder) => {
    const env = { BATUTA_DATABASE_URL: `sqlite:${join(folder, 'bench.db')}` };
    const batutaRun = [join(root, 'dist/cli/main.js'), 'run', join(root, 'flows/hello.ts')];
    const { bare, run, importMs } = medians(
      await repeat({ times: runs, warmups: quick ? 0 : 2 }, async () => ({
        bare: (await runProcess(['-e', '0'])).ms,
        run: (await runProcess(batutaRun, { env })).ms,
        importMs: (await inOwnProcess('import-time.js', {})).ms,
      })),
    );
    return {
      title: `A whole process that runs flows/hello.ts, and the import of the library, median of ${runs}`,
      figures: [
        {
          name: 'runMs',
          label: 'batuta run flows/hello.ts',
          value: run,
          unit: 'ms',
          target: { atMost: 3 * bare + 150 },
          beside: { label: 'node -e 0', value: bare },
        },
        { name: 'importMs', label: "import 'batuta'", value: importMs, unit: 'ms', target: { atMost: 60 } },
      ],
    };
  });
}
