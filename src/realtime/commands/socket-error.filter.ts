import { type ArgumentsHost, Catch, Logger, type WsExceptionFilter } from '@nestjs/common';
import type { AppError } from '../../common/errors/app-error.js';
import { ERRORS } from '../../common/errors/error-codes.js';
import { toAppError } from '../../common/errors/to-app-error.js';
import type { CommandError } from '../../contract/errors.js';

type NegativeAck = (answer: { ok: false; error: CommandError }) => void;

/** Where Nest hands the ack to a handler: (client, payload, ack, event). */
const ACK = 2;

/** Answers every failed command through its ack; Nest's own filter would leave it unanswered and echo the payload. */
@Catch()
export class SocketErrorFilter implements WsExceptionFilter {
  private readonly logger = new Logger(SocketErrorFilter.name);

  catch(exception: unknown, host: ArgumentsHost): void {
    const error = toAppError(exception);
    if (error.code === 'internal_error') this.logger.error({ err: exception });
    host.getArgByIndex<NegativeAck>(ACK)({ ok: false, error: toCommandError(error) });
  }
}

/** The error as it stands in an ack. */
export function toCommandError({ code, message, errors, retryAfterMs }: AppError): CommandError {
  return { code, message, retryable: ERRORS[code].retryable, retry_after_ms: retryAfterMs, errors };
}
