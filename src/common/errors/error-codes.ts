import type { ErrorCode } from '../../contract/errors.js';

/**
 * What a code means over HTTP and on sockets. `status` is the HTTP status; `retryable` says that sending the same again
 * may succeed.
 */
interface ErrorSpec {
  readonly status: number;
  readonly title: string;
  readonly retryable: boolean;
}

const spec = (status: number, title: string, retryable = false): ErrorSpec => ({ status, title, retryable });

/**
 * Every error that a client can get: the one table behind the HTTP answers, the socket acks and the OpenAPI. A new code
 * also goes into `contract/errors.ts`.
 */
export const ERRORS = {
  validation_failed: spec(400, 'The request is malformed'),
  unauthorized: spec(401, 'Authentication is required'),
  token_expired: spec(401, 'The access token has expired'),
  invalid_credentials: spec(401, 'The email or the password is wrong'),
  forbidden: spec(403, 'The role does not allow this'),
  origin_not_allowed: spec(403, 'The origin is not allowed'),
  blocked: spec(403, 'You cannot write to each other'),
  not_found: spec(404, 'Not found'),
  method_not_allowed: spec(405, 'The method is not allowed here'),
  user_not_found: spec(404, 'User not found'),
  chat_not_found: spec(404, 'Chat not found'),
  group_not_found: spec(404, 'Group not found'),
  message_not_found: spec(404, 'Message not found'),
  email_taken: spec(409, 'The email is taken'),
  client_message_id_conflict: spec(409, 'The client_message_id is in use'),
  not_a_group: spec(409, 'The chat is not a group'),
  limit_reached: spec(409, 'A limit is reached'),
  payload_too_large: spec(413, 'The body is too large'),
  unsupported_media_type: spec(415, 'The content type or encoding is not supported'),
  expectation_failed: spec(417, 'The expectation is not met'),
  rate_limited: spec(429, 'Too many requests', true),
  internal_error: spec(500, 'Internal error'),
  overloaded: spec(503, 'The server is overloaded', true),
  unavailable: spec(503, 'The service is unavailable', true),
} as const satisfies Record<ErrorCode, ErrorSpec>;
