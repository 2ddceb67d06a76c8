import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AppError } from '../../common/errors/app-error.js';
import { rawProblemResponse, endWithProblem } from '../../common/http/raw-problem-response.js';

/** Answers a handshake with a problem and ends its connection. Engine.IO puts the response on a request that polls. */
export function refuseHandshake(request: IncomingMessage & { res?: ServerResponse }, error: AppError): void {
  if (request.res) {
    const { status, headers, body } = rawProblemResponse(error);
    request.res.writeHead(status, headers).end(body);
    return;
  }
  const { socket } = request;
  socket.on('error', () => socket.destroy()).once('finish', () => socket.destroy());
  endWithProblem(socket, error);
}
