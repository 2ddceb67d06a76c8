import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppConfig } from '../../config/app.config.js';
import { AppError } from '../errors/app-error.js';
import { addressFinder } from './client-address.js';
import { sendProblem } from './problem.filter.js';
import { refuseUnreadable } from './unreadable-request.js';
import { toAppError } from '../errors/to-app-error.js';

/** In bytes. */
const BODY_LIMIT = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** How long the headers and the whole request may take to arrive, in milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** A connection is closed after this long without a byte in either direction. It doesn't apply to an open WebSocket. */
const IDLE_TIMEOUT_MS = 60_000;
const FORM = 'application/x-www-form-urlencoded';
const WELL_FORMED_ID = /^[\w.:-]{1,128}$/;

declare module 'fastify' {
  interface FastifyRequest {
    /** The canonical address of the client; see `addressFinder`. (`ip` is whoever connects, so maybe a proxy.) */
    readonly address: string;
  }
}

/**
 * Makes the Fastify adapter with our limits, content types, request ids and cache headers. `startup.ts`, the tests and the
 * OpenAPI command use it.
 */
export function createHttpAdapter({ trustedProxies }: Pick<AppConfig, 'trustedProxies'>): FastifyAdapter {
  const adapter = new FastifyAdapter({
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS },
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: IDLE_TIMEOUT_MS,
    clientErrorHandler: refuseUnreadable,
    bodyLimit: BODY_LIMIT,
    genReqId: requestId,
    // The router refuses a path that it can't decode, before any filter could answer.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(toAppError(error), request, reply);
    },
    routerOptions: { ignoreTrailingSlash: true },
  });
  const fastify = adapter.getInstance();
  const addressOf = addressFinder(trustedProxies);
  fastify.decorateRequest('address', {
    getter() {
      return addressOf(this.raw);
    },
  });
  // In onSend, so that the answer to a CORS preflight has the header, too.
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    void reply.header('X-Request-Id', request.id);
    // No browser or proxy may cache tokens and messages. The files of Swagger UI come with their own header.
    if (!reply.hasHeader('Cache-Control')) void reply.header('Cache-Control', 'no-store');
    done();
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    // Only a login accepts a form. The fields of a form are all text, and other routes need numbers.
    const refused = isForm(request) && !(request.routeOptions.config as { acceptsForm?: boolean }).acceptsForm;
    done(refused ? new AppError('unsupported_media_type') : undefined);
  });
  fastify.addHook('onRoute', (route) => {
    // Nest puts a route's own `bodyLimit` only into its `config`; Fastify reads it from the route.
    route.bodyLimit = (route as { config?: { bodyLimit?: number } }).config?.bodyLimit ?? BODY_LIMIT;
  });
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeContentTypeParser('text/plain');
  adapter.useBodyParser('application/json', false, { bodyLimit: BODY_LIMIT }, (request, body, done) => {
    // A content type without a body is no JSON error: the request has no body.
    if (body.length === 0) done(null, undefined);
    else void parseJson(request, body.toString(), done);
  });
  return adapter;
}

/** The client's `X-Request-Id` when it is well-formed, else a new one. */
function requestId({ headers }: IncomingMessage): string {
  const own = headers['x-request-id'];
  return typeof own === 'string' && WELL_FORMED_ID.test(own) ? own : randomUUID();
}

function isForm({ headers }: FastifyRequest): boolean {
  return headers['content-length'] !== '0' && (headers['content-type']?.toLowerCase().startsWith(FORM) ?? false);
}
