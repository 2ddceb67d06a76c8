import { STATUS_CODES } from 'node:http';
import type { OpenAPIObject } from '@nestjs/swagger';
import { type ProblemResponse, problemResponses } from '../common/http/api-problems.decorator.js';
import { PUBLIC_EXTENSION } from '../common/http/public.decorator.js';
import type { ErrorCode } from '../contract/errors.js';
import { UNLIMITED_EXTENSION } from '../limits/rate-limit.decorator.js';
import { toJsonSchema } from './json-schema.js';
import { headerReference } from './response-headers.js';

/** What the OpenAPI document says of an operation, besides what its controller says. */

export type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** The part of a request or of a response that has schemas. */
interface Part {
  description?: string;
  schema?: unknown;
  content?: Record<string, { schema?: unknown }>;
  headers?: Record<string, { schema?: unknown } | { $ref: string }>;
}

export const METHODS = ['get', 'put', 'post', 'patch', 'delete'] as const;

/** Paths that are aliases of another path. The document marks them, and gives them operation ids of their own. */
const ALIASES = new Set(['/register', '/login', '/history/{chat_id}']);

const LIMIT_HEADERS = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'] as const;

/**
 * Adds what follows from rules common to all operations: who may call it, the errors that any operation can have, the
 * headers of its answers; and brings its schemas into the form of OpenAPI 3.1.
 */
export function completeOperation(operation: Operation, path: string): void {
  nameOperation(operation, path);
  operation.security = PUBLIC_EXTENSION in operation ? [] : [{ password: [] }, { bearer: [] }];
  const own = documentedCodes(operation);
  operation.description = [operation.description, errorsText(own)].filter(Boolean).join('\n\n');
  // A route may document another code of the same status: the response then has both.
  for (const [status, problem] of Object.entries(problemResponses(...new Set([...own, ...commonCodes(operation)])))) {
    // A response may have another form beside the problem, as the errors of OAuth 2 do.
    const declared = operation.responses[status] as Part | undefined;
    operation.responses[status] = { ...problem, content: { ...declared?.content, ...problem.content } };
  }
  const isLimited = !(UNLIMITED_EXTENSION in operation);
  const parts = [...(operation.parameters ?? []), operation.requestBody, ...Object.values(operation.responses)];
  for (const part of parts) if (part) convertSchemas(part as Part);
  for (const [status, response] of Object.entries(operation.responses)) {
    completeResponse(response as Part, status, isLimited);
  }
}

function nameOperation(operation: Operation, path: string): void {
  // Nest numbers the operations of a route with several paths: `login[0]`, `login[1]`.
  operation.operationId = operation.operationId?.replace(/\[\d+\]$/, '');
  if (!ALIASES.has(path)) return;
  operation.operationId = `${operation.operationId}Alias`;
  operation.summary = `${operation.summary} (an alias)`;
}

/** The errors that any operation of this kind can have. */
function commonCodes(operation: Operation): ErrorCode[] {
  const codes: ErrorCode[] = ['internal_error', 'unavailable'];
  if (!(PUBLIC_EXTENSION in operation)) codes.unshift('unauthorized', 'token_expired');
  if (!(UNLIMITED_EXTENSION in operation)) codes.push('rate_limited');
  if (operation.requestBody) codes.push('payload_too_large', 'unsupported_media_type');
  return codes;
}

/** The errors that its controller names. */
const documentedCodes = (operation: Operation): ErrorCode[] =>
  Object.values(operation.responses).flatMap((response) => {
    const content = (response as Partial<ProblemResponse>).content?.['application/problem+json'];
    return Object.keys(content?.examples ?? {}) as ErrorCode[];
  });

const errorsText = (codes: readonly ErrorCode[]): string =>
  codes.length > 0 ? `Errors of its own: ${codes.map((code) => `\`${code}\``).join(', ')}.` : '';

function convertSchemas(part: Part): void {
  const holders = [part, ...Object.values(part.content ?? {}), ...Object.values(part.headers ?? {})];
  for (const holder of holders) {
    if ('schema' in holder && holder.schema) holder.schema = toJsonSchema(holder.schema);
  }
}

function completeResponse(response: Part, status: string, isLimited: boolean): void {
  response.description ||= STATUS_CODES[status];
  const names = [
    'X-Request-Id' as const,
    ...(isLimited ? LIMIT_HEADERS : []),
    ...(status === '401' ? (['WWW-Authenticate'] as const) : []),
  ];
  for (const name of names) response.headers = { ...response.headers, [name]: headerReference(name) };
}
