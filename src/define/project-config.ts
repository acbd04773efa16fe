/** `defineConfig`: content of a `batuta.config.ts`, with the types of what runs. */
import type { BatutaConfig } from '../base/config-file.ts';
import type { Middleware } from '../model/middleware.ts';

/** Content of a project's `batuta.config.ts`. */
export interface ProjectConfig extends BatutaConfig {
  /** Wraps all runs and tasks, outermost first. */
  readonly middleware?: readonly Middleware[];
}

/**
 * Returns its argument; gives editors the types of `batuta.config.ts`.
 *
 * @example export default defineConfig({ flows: ['flows', 'reports/daily.ts'], defaults: { lease: '30s' } });
 */
export function defineConfig(config: ProjectConfig): ProjectConfig {
  return config;
}
