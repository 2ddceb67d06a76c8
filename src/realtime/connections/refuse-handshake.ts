import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AppError } from '../../common/errors/app-error.js';
import { rawProblemResponse, endWithProblem } from '../../common/http/raw-problem-response.js';

/**
 * Answers a handshake over HTTP with a problem, and ends the TCP connection. `SocketAdapter` and `PlainWebSocketServer`
 * call it when the handshake is refused. A polling request has its response in `res`, where Engine.IO puts it; an
 * upgrade has none, so the problem is written to the TCP socket.
 */
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
