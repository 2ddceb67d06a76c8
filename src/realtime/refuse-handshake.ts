import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AppError } from '../common/app-error.js';
import { ERRORS } from '../common/error-codes.js';
import { retryAfterSeconds, toProblem } from '../common/problem.filter.js';

/** Answers a handshake with a problem and ends its connection. Engine.IO puts the response on a request that polls. */
export function refuseHandshake(request: IncomingMessage & { res?: ServerResponse }, error: AppError): void {
  const requestId = randomUUID();
  const { status } = ERRORS[error.code];
  const body = JSON.stringify(toProblem(error, requestId));
  const retryAfter = retryAfterSeconds(error);
  const headers = {
    Connection: 'close',
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': requestId,
    ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
  };
  if (request.res) {
    request.res.writeHead(status, headers).end(body);
    return;
  }
  const { socket } = request;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.on('error', () => socket.destroy()).once('finish', () => socket.destroy());
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
}
