import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../../common/errors/app-error.js';
import { refuseHandshake } from './refuse-handshake.js';

/**
 * Refuses a poll whose body isn't UTF-8, at which a client gives its connection up. Engine.IO would put U+FFFD where it
 * isn't. (ws checks the frames of WebSockets itself.) Call it before the body is read.
 */
export function refuseBrokenText(request: IncomingMessage, res: ServerResponse): void {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const push = request.push.bind(request);
  request.push = (chunk: Buffer | null): boolean => {
    try {
      decoder.decode(chunk ?? undefined, { stream: chunk !== null });
    } catch {
      request.push = () => false; // Nothing of it reaches Engine.IO.
      refuseHandshake(Object.assign(request, { res }), AppError.invalidField('body', 'must be UTF-8'));
      return false;
    }
    return push(chunk);
  };
}
