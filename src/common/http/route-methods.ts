import type { FastifyInstance } from 'fastify';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { AppError } from '../errors/app-error.js';

/**
 * Answers a method that a path doesn't have with `method_not_allowed` and, in `Allow`, those that it has. The routes
 * that are added from now on are noted in a router like Fastify's, which can't be asked.
 */
export function refuseOtherMethods(fastify: FastifyInstance): void {
  const router = findMyWay({ ignoreTrailingSlash: true });
  const methods = new Set<HTTPMethod>();
  fastify.addHook('onRoute', ({ method, url }) => {
    if (url === '*') return; // That of CORS, for preflights, is at every path.
    for (const name of [method].flat() as HTTPMethod[]) {
      methods.add(name);
      if (!router.hasRoute(name, url)) router.on(name, url, () => undefined);
    }
  });
  fastify.addHook('preParsing', (request, reply, payload, done) => {
    const path = request.url.split('?', 1)[0]!;
    const allowed = request.is404 ? [...methods].filter((method) => router.find(method, path) !== null) : [];
    if (allowed.length === 0) return done(null, payload);
    void reply.header('Allow', allowed.join(', '));
    done(new AppError('method_not_allowed'));
  });
}
