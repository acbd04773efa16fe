/** Changing many runs at once: those named, or those that fit a filter. */
import type { App, RouteParts } from '../app.ts';

export function bulkRoutes(_app: App, _parts: RouteParts): void {}
