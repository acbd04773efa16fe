/** `defineConfig`: what a `batuta.config.ts` may say, with the types of what runs. */
import type { BatutaConfig } from '../base/config-file.ts';
import type { Middleware } from '../model/middleware.ts';

/** What a project may say in its `batuta.config.ts`. */
export interface ProjectConfig extends BatutaConfig {
  /** Runs around all runs and tasks, outermost first. */
  readonly middleware?: readonly Middleware[];
}

/**
 * Gives its argument back; there so that an editor knows what may be written in `batuta.config.ts`.
 *
 * @example export default defineConfig({ flows: ['flows', 'reports/daily.ts'], defaults: { lease: '30s' } });
 */
export function defineConfig(config: ProjectConfig): ProjectConfig {
  return config;
}
