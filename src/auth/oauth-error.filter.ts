import { applyDecorators, type ArgumentsHost, Catch } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemResponses } from '../common/http/api-problems.decorator.js';
import { ProblemFilter } from '../common/http/problem.filter.js';
import { toAppError } from '../common/errors/to-app-error.js';
import type { ErrorCode, OAuthError } from '../contract/errors.js';
import { isRefreshGrant, OAuthErrorDto } from './dto/grant.dto.js';

/** The errors for which RFC 6749 (5.2) has a name. All others are problems, also those of the refresh grant. */
const OAUTH_ERRORS: Partial<Record<ErrorCode, OAuthError['error']>> = {
  validation_failed: 'invalid_request',
  unauthorized: 'invalid_grant',
};

/** What RFC 6749 doesn't allow in a description. */
const NOT_DESCRIPTIVE = /[^ !#-[\]-~]/g;

/** Answers the errors of the refresh grant as OAuth 2 clients know them: 400 with an `OAuthError`. */
@Catch()
export class OAuthErrorFilter extends ProblemFilter {
  override catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const { code, message } = toAppError(exception);
    const error = isRefreshGrant(http.getRequest<FastifyRequest>().body) ? OAUTH_ERRORS[code] : undefined;
    if (!error) return super.catch(exception, host);
    const body: OAuthError = { error, error_description: message.replace(NOT_DESCRIPTIVE, '?') };
    void http.getResponse<FastifyReply>().code(400).send(body);
  }
}

/** Documents the two kinds of answers with status 400 that a login has. */
export const ApiOAuthErrors = (): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(OAuthErrorDto),
    ApiResponse({
      status: 400,
      content: {
        ...problemResponses('validation_failed')['400']!.content,
        'application/json': { schema: { $ref: getSchemaPath(OAuthErrorDto) } },
      },
    }),
  );
