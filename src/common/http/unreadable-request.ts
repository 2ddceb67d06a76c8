import type { Socket } from 'node:net';
import { AppError } from '../errors/app-error.js';
import { endWithProblem } from './raw-problem-response.js';

/** The `detail` for Node's error codes, see https://nodejs.org/api/http.html#event-clienterror. */
const DETAILS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: 'The headers of the request are too large.',
  ERR_HTTP_REQUEST_TIMEOUT: 'The request took too long to arrive.',
};

/**
 * Fastify's `clientErrorHandler`: answers what never becomes a request and so reaches no filter, such as broken HTTP,
 * headers that are too large, or a client that is too slow.
 */
export function refuseUnreadable({ code = '' }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  endWithProblem(socket, new AppError('validation_failed', DETAILS[code] ?? 'The request could not be read.'));
}
