/** `batuta db migrate`: brings the tables to this version. */
import { openStore } from '../../store/open.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { openSettings } from '../open.ts';
import { printJson } from '../print-json.ts';

/** Applies what is missing and says what that was. */
export async function migrate(context: CommandContext, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const { config } = await openSettings(context);
  // Not through a client, which migrates as it opens: here one wants to see what was done.
  const store = await openStore({ url: config.databaseUrl, migrate: false });
  try {
    const report = await store.migrate();
    const { terminal } = context;
    if (options.json) return printJson(terminal, { url: store.url, ...report });
    for (const name of report.applied) terminal.out.line(`${terminal.out.paint.green('✓')} applied ${name}`);
    terminal.out.line(
      report.applied.length === 0
        ? `Nothing to do: ${store.url} is at version ${report.after}.`
        : `${store.url} is now at version ${report.after}.`,
    );
    return 0;
  } finally {
    await store.close();
  }
}
