import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createAsyncApi } from './asyncapi.js';
import { eventsPage } from './events-page.js';
import { setupOpenApi } from './openapi.js';

/**
 * Serves the documents of the API: `/docs` and `/openapi.json` for REST, `/docs/events` and `/asyncapi.json` for sockets.
 * Each is made when it is first asked for: a start doesn't wait for it.
 */
export function setupApiDocs(app: NestFastifyApplication): void {
  setupOpenApi(app);
  const fastify = app.getHttpAdapter().getInstance();
  let document: ReturnType<typeof createAsyncApi> | undefined;
  let page: string | undefined;
  const made = (): ReturnType<typeof createAsyncApi> => (document ??= createAsyncApi(app));
  fastify.get('/asyncapi.json', () => made());
  fastify.get('/docs/events', (_, reply) => reply.type('text/html; charset=utf-8').send((page ??= eventsPage(made()))));
}
