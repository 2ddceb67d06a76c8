import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { AppError } from './app-error.js';
import { ERRORS } from './error-codes.js';
import { toProblem } from './problem.filter.js';

/** By Node's codes; https://nodejs.org/api/http.html#event-clienterror. */
const DETAILS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: 'The headers of the request are too large.',
  ERR_HTTP_REQUEST_TIMEOUT: 'The request took too long to arrive.',
};

/** Answers what isn't a request yet, and so reaches no filter: broken HTTP, too many headers, a client that is too slow. */
export function refuseUnreadable({ code = '' }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const error = new AppError('validation_failed', DETAILS[code] ?? 'The request could not be read.');
  const requestId = randomUUID();
  const body = JSON.stringify(toProblem(error, requestId));
  socket.end(
    [
      `HTTP/1.1 ${ERRORS[error.code].status} Bad Request`,
      'Connection: close',
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${requestId}`,
      '',
      body,
    ].join('\r\n'),
  );
}
