/** A pipeline in TypeScript and the same in YAML: which genres of film earn their money back. */
import { background, forEach, parallel, pipeline, when } from 'batuta/steps';
import * as steps from './movie-steps.ts';

export const MovieReport = pipeline('movie-report', { version: 'v1.0', params: steps.params, strict: true }).steps([
  [steps.readFilms, 'Read films', 'v1.0', { retries: 2, retryDelay: '1s', timeout: '30s' }],
  [steps.cleanFilms, 'Clean films', 'v1.1'],
  parallel([
    [new steps.GroupFilms('genre'), 'Group by genre', 'v1.0'],
    [steps.mostExpensive, 'Find the most expensive', 'v1.0'],
  ]),
  when(steps.isDirty, [[steps.warnOfDirt, 'Warn of dirt', 'v1.0']]),
  forEach('genres', { as: 'genre', into: 'rows', concurrency: 4 }, [[steps.sumUpGenre, 'Sum up a genre', 'v1.2']]),
  background([[({ films }: { films: readonly steps.Film[] }, ctx) => ctx.metrics.set('films', films.length), 'Count films', 'v1.0']]),
  [steps.report, 'Report', 'v1.0'],
]);

export const MovieReportYaml = pipeline.fromYaml(new URL('./movie-report.yaml', import.meta.url), {
  params: steps.params,
  functions: { ...steps, groupByGenre: new steps.GroupFilms('genre') },
});
