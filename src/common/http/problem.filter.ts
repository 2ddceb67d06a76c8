import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppError } from '../errors/app-error.js';
import { ERRORS } from '../errors/error-codes.js';
import { toAppError } from '../errors/to-app-error.js';

/**
 * The global exception filter of HTTP: answers every error as RFC 9457 `application/problem+json`. An unknown error is
 * logged, and the client gets none of it. Sockets have `SocketErrorFilter`.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = toAppError(exception);
    if (error.code === 'internal_error') this.logger.error({ err: exception, request_id: request.id });
    if (!reply.sent) sendProblem(error, request, reply);
  }
}

/** Answers a request with an error. */
export function sendProblem(error: AppError, request: FastifyRequest, reply: FastifyReply): void {
  const { status } = ERRORS[error.code];
  const retryAfter = retryAfterSeconds(error);
  if (status === 401) void reply.header('WWW-Authenticate', 'Bearer');
  if (retryAfter !== undefined) void reply.header('Retry-After', String(retryAfter));
  void reply
    .code(status)
    .header('X-Request-Id', request.id)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(toProblem(error, request.id)));
}

/** The value of `Retry-After` in whole seconds, 1 by default; undefined for an error that a retry doesn't change. */
export function retryAfterSeconds({ code, retryAfterMs = 1_000 }: AppError): number | undefined {
  return ERRORS[code].retryable ? Math.ceil(retryAfterMs / 1_000) : undefined;
}

/** The error as the body of an answer. */
export function toProblem(error: AppError, requestId: string): object {
  const { status, title } = ERRORS[error.code];
  return {
    type: 'about:blank',
    title,
    status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    errors: error.errors,
  };
}
