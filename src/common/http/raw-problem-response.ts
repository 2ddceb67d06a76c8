import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AppError } from '../errors/app-error.js';
import { ERRORS } from '../errors/error-codes.js';
import { retryAfterSeconds, toProblem } from './problem.filter.js';

/**
 * An error as the parts of an HTTP response, for a connection where no request reaches a filter: an unreadable request
 * or a refused handshake. The connection is closed after it.
 */
export function rawProblemResponse(error: AppError) {
  const requestId = randomUUID();
  const body = JSON.stringify(toProblem(error, requestId));
  const retryAfter = retryAfterSeconds(error);
  const headers: Record<string, string> = {
    Connection: 'close',
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': requestId,
    ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
  };
  return { status: ERRORS[error.code].status, headers, body };
}

/** Writes the error to the connection and ends it. */
export function endWithProblem(socket: Duplex, error: AppError): void {
  const { status, headers, body } = rawProblemResponse(error);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
}
