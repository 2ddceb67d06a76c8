import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Has a request answered by what it asks for, whatever it offers besides. Node would give a request with any `Upgrade`
 * to those who accept WebSockets, and answer an unknown `Expect` itself, without a problem document.
 */
export function answerAllRequests(server: Server): void {
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean;
  // There is no event before `upgrade` in Node 20, and its listeners, such as Engine.IO's, take all they get.
  server.emit = (event: string, ...args: unknown[]): boolean => {
    if (event !== 'upgrade' || isWebSocket(args[0] as IncomingMessage)) return emit(event, ...args);
    return readAgain(server, ...(args as [IncomingMessage, Socket, Buffer]));
  };
}

function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Reads a request again without its `Upgrade`, as RFC 9110 lets a server that ignores it. Node has stopped to read the
 * connection after the headers; `rest` is what came behind them.
 */
function readAgain(server: Server, request: IncomingMessage, socket: Socket, rest: Buffer): boolean {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name, value] = rawHeaders.slice(index, index + 2);
    if (name!.toLowerCase() !== 'upgrade') lines.push(`${name}: ${value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), rest]));
  return server.emit('connection', socket);
}
