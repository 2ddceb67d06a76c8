import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppConfig } from '../../config/app.config.js';
import { AppError } from '../errors/app-error.js';
import { sendProblem } from './problem.filter.js';
import { refuseUnreadable } from './unreadable-request.js';
import { toAppError } from '../errors/to-app-error.js';

const BODY_LIMIT = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** How long the headers, and all of a request, may take to arrive. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** After how long without a byte either way a connection is closed; WebSockets are let off when they open. */
const SILENCE_TIMEOUT_MS = 60_000;
const FORM = 'application/x-www-form-urlencoded';
const SANE_REQUEST_ID = /^[\w.:-]{1,128}$/;

/** Fastify with the contract's limits, content types and request ids. */
export function createHttpAdapter({ trustedProxies }: Pick<AppConfig, 'trustedProxies'>): FastifyAdapter {
  const adapter = new FastifyAdapter({
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS },
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: SILENCE_TIMEOUT_MS,
    clientErrorHandler: refuseUnreadable,
    bodyLimit: BODY_LIMIT,
    genReqId: requestId,
    // A path that can't be decoded is answered by the router, before any filter.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(toAppError(error), request, reply);
    },
    routerOptions: { ignoreTrailingSlash: true },
  });
  const fastify = adapter.getInstance();
  // On the way out, so that a preflight has it, too.
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    void reply.header('X-Request-Id', request.id);
    // Tokens and messages must not stay in a browser's cache or a proxy's; the files of Swagger UI say themselves what may.
    if (!reply.hasHeader('Cache-Control')) void reply.header('Cache-Control', 'no-store');
    done();
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    // Only a login takes a form; elsewhere its fields could only be text, where the contract has numbers.
    const refused = isForm(request) && !(request.routeOptions.config as { acceptsForm?: boolean }).acceptsForm;
    done(refused ? new AppError('unsupported_media_type') : undefined);
  });
  fastify.addHook('onRoute', (route) => {
    // Nest passes a route's own limit on as one of its settings only.
    route.bodyLimit = (route as { config?: { bodyLimit?: number } }).config?.bodyLimit ?? BODY_LIMIT;
  });
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeContentTypeParser('text/plain');
  adapter.useBodyParser('application/json', false, { bodyLimit: BODY_LIMIT }, (request, body, done) => {
    // A client that names a type and sends no body has sent none.
    if (body.length === 0) done(null, undefined);
    else void parseJson(request, body.toString(), done);
  });
  return adapter;
}

/** The caller's own id, when it sent a sane one. */
function requestId({ headers }: IncomingMessage): string {
  const own = headers['x-request-id'];
  return typeof own === 'string' && SANE_REQUEST_ID.test(own) ? own : randomUUID();
}

function isForm({ headers }: FastifyRequest): boolean {
  return headers['content-length'] !== '0' && (headers['content-type']?.toLowerCase().startsWith(FORM) ?? false);
}
