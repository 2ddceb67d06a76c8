import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AppError } from '../errors/app-error.js';
import { ERRORS } from '../errors/error-codes.js';
import { retryAfterSeconds, toProblem } from './problem.filter.js';

/** A problem for a connection that no request, and so no filter, answers; the connection ends with it. */
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

/** Writes it to the connection itself, as its last word. */
export function endWithProblem(socket: Duplex, error: AppError): void {
  const { status, headers, body } = rawProblemResponse(error);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
}
