import type { Socket } from 'node:net';
import { AppError } from '../errors/app-error.js';
import { endWithProblem } from './raw-problem-response.js';

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
  endWithProblem(socket, new AppError('validation_failed', DETAILS[code] ?? 'The request could not be read.'));
}
