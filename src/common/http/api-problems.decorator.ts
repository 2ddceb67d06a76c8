import { applyDecorators } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { ERRORS } from '../errors/error-codes.js';
import type { ErrorCode, FieldError, Problem } from '../../contract/errors.js';

/** The errors of routes in the OpenAPI, all derived from `ERRORS`. */

/** Documents a field whose value is an error code. It is open text, as an enumeration would refuse codes of later versions. */
export const ErrorCodeProperty = (): PropertyDecorator =>
  ApiProperty({
    type: String,
    description:
      'Stable; what clients switch on. More may be added: treat one that you do not know by its other fields.',
    'x-extensible-enum': Object.keys(ERRORS),
    example: 'validation_failed' satisfies ErrorCode,
  } as ApiPropertyOptions);

/** An error in one field of the input, over REST and on sockets. */
export class FieldErrorDto implements FieldError {
  @ApiProperty({ example: 'text' })
  field: string;

  @ApiProperty({ example: 'must be text of 1 to 4096 characters' })
  message: string;
}

/** The body of every error over HTTP: RFC 9457. */
export class ProblemDto implements Problem {
  @ApiProperty({ example: 'about:blank' })
  type: string;

  @ApiProperty({ example: ERRORS.validation_failed.title })
  title: string;

  @ApiProperty({ type: 'integer', example: 400 })
  status: number;

  @ApiProperty({ example: 'Not valid: text.' })
  detail: string;

  @ErrorCodeProperty()
  code: ErrorCode;

  @ApiProperty({
    description: 'Stands in the log of the server, too.',
    example: '5f0c6a5e-8f0e-4b7e-9a55-0d3c2f1b9a77',
  })
  request_id: string;

  @ApiProperty({ type: [FieldErrorDto], required: false, description: 'Each field that is wrong.' })
  errors?: FieldErrorDto[];
}

const RETRY_AFTER = { 'Retry-After': { $ref: '#/components/headers/Retry-After' } } as const;

/** An OpenAPI response whose body is a problem. */
export interface ProblemResponse {
  description: string;
  headers?: typeof RETRY_AFTER;
  content: { 'application/problem+json': { schema: { $ref: string }; examples: Record<string, { $ref: string }> } };
}

/** Documents the errors that a route has besides the common ones, which `api-docs/operations.ts` adds. */
export function ApiProblems(...codes: ErrorCode[]): MethodDecorator & ClassDecorator {
  const responses = Object.entries(problemResponses(...codes));
  return applyDecorators(
    ...responses.map(([status, response]) => ApiResponse({ status: Number(status), ...response })),
  );
}

/** The OpenAPI responses for these codes: one for each status, with an example for each code. */
export function problemResponses(...codes: ErrorCode[]): Record<string, ProblemResponse> {
  const byStatus: Partial<Record<string, ErrorCode[]>> = {};
  for (const code of codes) (byStatus[ERRORS[code].status] ??= []).push(code);
  return Object.fromEntries(Object.entries(byStatus).map(([status, own = []]) => [status, problemResponse(own)]));
}

function problemResponse(codes: ErrorCode[]): ProblemResponse {
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}.`).join(' '),
    ...(codes.some((code) => ERRORS[code].retryable) && { headers: RETRY_AFTER }),
    content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDto) }, examples } },
  };
}

/** For `components.examples` of the OpenAPI: an example of each error. */
export function problemExamples(): Record<string, { value: ProblemDto }> {
  const codes = Object.keys(ERRORS) as ErrorCode[];
  return Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }]));
}

function exampleOf(code: ErrorCode): ProblemDto {
  const { status, title } = ERRORS[code];
  const request_id = '5f0c6a5e-8f0e-4b7e-9a55-0d3c2f1b9a77';
  return { type: 'about:blank', title, status, detail: `${title}.`, code, request_id };
}
