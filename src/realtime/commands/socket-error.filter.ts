import { type ArgumentsHost, Catch, Logger, type WsExceptionFilter } from '@nestjs/common';
import type { AppError } from '../../common/errors/app-error.js';
import { ERRORS } from '../../common/errors/error-codes.js';
import { toAppError } from '../../common/errors/to-app-error.js';
import type { CommandError } from '../../contract/errors.js';

type NegativeAck = (answer: { ok: false; error: CommandError }) => void;

/** The place of the ack among the arguments that Nest passes to a handler: (client, payload, ack, event). */
const ACK = 2;

/**
 * Acks every failed command of the gateway with its error. Nest's own filter would leave the command without an ack,
 * and echo the payload. Only `internal_error` is logged.
 */
@Catch()
export class SocketErrorFilter implements WsExceptionFilter {
  private readonly logger = new Logger(SocketErrorFilter.name);

  catch(exception: unknown, host: ArgumentsHost): void {
    const error = toAppError(exception);
    if (error.code === 'internal_error') this.logger.error({ err: exception });
    host.getArgByIndex<NegativeAck>(ACK)({ ok: false, error: toCommandError(error) });
  }
}

/** The form of an error in an ack, in `connect_error` and in an error frame of the plain WebSocket. */
export function toCommandError({ code, message, errors, retryAfterMs }: AppError): CommandError {
  return { code, message, retryable: ERRORS[code].retryable, retry_after_ms: retryAfterMs, errors };
}
