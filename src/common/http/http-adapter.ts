import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { useBodyParsers } from './body-parsers.js';
import { answerAllRequests } from './ordinary-requests.js';
import { assertForm } from './request-form.js';
import { refuseOtherMethods } from './route-methods.js';
import { refuseUnreadable } from './unreadable-request.js';
import { isAddress } from './utf8.js';

/** In bytes. */
const BODY_LIMIT = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** How long the headers and the whole request may take to arrive, in milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How often Node looks for connections that take longer, in milliseconds. */
const TIMEOUT_CHECK_MS = 1_000;
/** A connection is closed after this long without a byte in either direction. It doesn't apply to an open WebSocket. */
const IDLE_TIMEOUT_MS = 60_000;
/** The same between two requests. Node adds a second, to be later than its client. */
const KEEP_ALIVE_TIMEOUT_MS = IDLE_TIMEOUT_MS - 1_000;
/** Where an address that can't be read is routed to: no route is there. */
const NOWHERE = '/nowhere';
const WELL_FORMED_ID = /^[\w.:-]{1,128}$/;

/**
 * Makes the Fastify adapter with our limits, content types, request ids and cache headers. `startup.ts`, the tests and
 * the OpenAPI command use it.
 */
export function createHttpAdapter(): FastifyAdapter {
  const adapter = new FastifyAdapter({
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    },
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: IDLE_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    clientErrorHandler: refuseUnreadable,
    bodyLimit: BODY_LIMIT,
    genReqId: requestId,
    // The router itself would refuse these addresses, and one with a long id, without the headers of other answers.
    rewriteUrl: ({ url = '' }) => (isAddress(url) ? url : NOWHERE),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_HEADER_BYTES },
  });
  const fastify = adapter.getInstance();
  // In onSend, so that the answer to a CORS preflight has the header, too.
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    void reply.header('X-Request-Id', request.id);
    // No browser or proxy may cache tokens and messages. The files of Swagger UI come with their own header.
    if (!reply.hasHeader('Cache-Control')) void reply.header('Cache-Control', 'no-store');
    done();
  });
  answerAllRequests(fastify.server);
  // First: another method is refused as that, whatever else is wrong.
  refuseOtherMethods(fastify);
  fastify.addHook('preParsing', async (request, reply) => assertForm(request, reply));
  fastify.addHook('onRoute', (route) => {
    // Nest puts a route's own `bodyLimit` only into its `config`; Fastify reads it from the route.
    route.bodyLimit = (route as { config?: { bodyLimit?: number } }).config?.bodyLimit ?? BODY_LIMIT;
  });
  useBodyParsers(adapter, BODY_LIMIT);
  return adapter;
}

/** The client's `X-Request-Id` when it is well-formed, else a new one. */
function requestId({ headers }: IncomingMessage): string {
  const own = headers['x-request-id'];
  return typeof own === 'string' && WELL_FORMED_ID.test(own) ? own : randomUUID();
}
