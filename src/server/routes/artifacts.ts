/** What tasks show. */
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../app.ts';
import { idParams } from '../schemas/common.ts';

export function artifactRoutes(app: App, { client }: RouteParts): void {
  const tags = ['artifacts'];
  const { artifacts } = client.engine.services.store;

  app.get(
    '/api/runs/:id/artifacts',
    { schema: { tags, description: 'What the tasks of a run show, oldest first.', params: idParams } },
    async (request) => {
      const { id } = await client.runs.get(request.params.id);
      return { items: (await artifacts.ofRun(id)).map((item) => toWire(item)) };
    },
  );
}
