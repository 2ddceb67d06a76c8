/** The errors of REST and of sockets. Types only: clients copy this folder as it is. */

/** What clients switch on. The codes are stable. */
export type ErrorCode =
  | 'validation_failed'
  | 'unauthorized'
  | 'token_expired'
  | 'invalid_credentials'
  | 'forbidden'
  | 'origin_not_allowed'
  | 'blocked'
  | 'not_found'
  | 'method_not_allowed'
  | 'user_not_found'
  | 'chat_not_found'
  | 'group_not_found'
  | 'message_not_found'
  | 'email_taken'
  | 'client_message_id_conflict'
  | 'not_a_group'
  | 'limit_reached'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'expectation_failed'
  | 'rate_limited'
  | 'internal_error'
  | 'overloaded'
  | 'unavailable';

/** An error in one field of the input. */
export interface FieldError {
  /** The name; of a nested field its path, such as `cursors.7.seq`. */
  readonly field: string;
  readonly message: string;
}

/** The body of an error over REST: RFC 9457, `application/problem+json`. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  /** The server logs the same id. */
  request_id: string;
  /** Only with `validation_failed`. */
  errors?: readonly FieldError[];
}

/** The body of a refusal of the OAuth 2 refresh grant at the token URL: RFC 6749, `application/json`, status 400. */
export interface OAuthError {
  error: 'invalid_grant' | 'invalid_request';
  error_description: string;
}

/** The error in the answer to a command. */
export interface CommandError {
  code: ErrorCode;
  message: string;
  /** Whether the same command, with the same `client_message_id`, may be sent again. */
  retryable: boolean;
  /** Only with `rate_limited`: when it may be sent again, in milliseconds from now. */
  retry_after_ms?: number;
  /** Only with `validation_failed`. */
  errors?: readonly FieldError[];
}
