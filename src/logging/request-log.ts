import type { FastifyInstance } from 'fastify';
import type { PinoLogger } from 'nestjs-pino';
import type { AddressedRequest } from '../common/http/client-address.js';
import type { Principal } from '../common/principal.js';

/** Of the path, characters that are logged: those of unknown routes are up to the client. */
const MAX_PATH = 200;

/**
 * Logs a line for each answered request, and puts the request's id and the client's address on every line that is
 * logged while it is handled. It uses Fastify's hooks: the middleware of nestjs-pino isn't reached under Fastify here,
 * and its context would be lost when a body is read. `app.setup.ts` calls it.
 */
export function logRequests(fastify: FastifyInstance, pino: PinoLogger): void {
  fastify.addHook('preHandler', (request, _, done) => {
    const { id, address } = request as AddressedRequest;
    pino.runInContext(done, { bindings: { request_id: id, address } });
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const { user, address } = request as AddressedRequest & { user?: Principal };
    const line = {
      event: 'request',
      request_id: request.id,
      user_id: user?.userId,
      address,
      method: request.method,
      // Without the query, which may hold a token or an email.
      path: request.originalUrl.split('?', 1)[0]!.slice(0, MAX_PATH),
      status: reply.statusCode,
      duration_ms: Math.round(reply.elapsedTime * 10) / 10,
    };
    if (reply.statusCode >= 500) pino.error(line);
    else pino.info(line);
    done();
  });
}
