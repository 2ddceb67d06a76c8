import { HttpException } from '@nestjs/common';
import { AppError } from './app-error.js';
import type { ErrorCode } from '../../contract/errors.js';

/**
 * The codes for the HTTP statuses of errors that Nest and Fastify throw. A status that isn't here is a fault of this
 * code: `internal_error`.
 */
const CODE_BY_STATUS: Record<number, ErrorCode> = {
  400: 'validation_failed',
  401: 'unauthorized',
  403: 'not_found',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'payload_too_large',
  414: 'validation_failed',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  431: 'validation_failed',
  503: 'unavailable',
};

/** The `detail` of such errors; a code that isn't here has its title. */
const DETAILS: Partial<Record<ErrorCode, string>> = {
  validation_failed: 'The request could not be read.',
  not_found: 'There is nothing at this address.',
};

/** The SQLSTATEs of a serialization failure and of a deadlock: PostgreSQL has undone all that the loser did. */
const CONFLICT_CODES: readonly unknown[] = ['40001', '40P01'];

/**
 * What an unavailable database looks like: Node's codes for an unreachable host; the SQLSTATE classes 08 (connection),
 * 53 (too many connections, disk full, out of memory) and 57P (shutdown); the SQLSTATEs of a read-only server (25006),
 * of a timeout of a statement (57014), of a lock (55P03) and of an idle transaction (25P03); and, below, the messages
 * of pg and TypeORM, which have no code.
 */
const UNAVAILABLE_CODE =
  /^(E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN)|ENOTFOUND|08...|53...|57P0.|57014|55P03|25006|25P03)$/;
const UNAVAILABLE_MESSAGE =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error|timeout expired|Driver not Connected)/;

/**
 * Whether PostgreSQL has undone the statement or the transaction for the sake of another one. A retry at once succeeds,
 * as a rule: `UnitOfWork` makes one.
 */
export function isDatabaseConflict(error: unknown): boolean {
  return CONFLICT_CODES.includes((error as { code?: unknown } | null)?.code);
}

/**
 * Whether the error says that PostgreSQL can't be reached, is stopping, can't write now, didn't answer in time, or has
 * undone the work for the sake of another one: then a retry may succeed.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return (
    (typeof code === 'string' && UNAVAILABLE_CODE.test(code)) ||
    isDatabaseConflict(error) ||
    (typeof message === 'string' && UNAVAILABLE_MESSAGE.test(message))
  );
}

/**
 * The error that the client gets for any thrown value. An `AppError` stays as it is. An unknown value becomes
 * `internal_error` without any of its text. The two filters, of HTTP and of sockets, call it.
 */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isDatabaseUnavailable(error)) return new AppError('unavailable', "The database can't do this now; try again.");
  const status =
    error instanceof HttpException ? error.getStatus() : (error as { statusCode?: unknown } | null)?.statusCode;
  const code = typeof status === 'number' ? (CODE_BY_STATUS[status] ?? 'internal_error') : 'internal_error';
  return new AppError(code, DETAILS[code]);
}
