import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../common/errors/app-error.js';
import { CLIENT_KEY, CLIENT_KEY_RULE } from '../common/validation/fields.js';
import type { SendMessageDto } from './dto/message-input.dto.js';

/**
 * A parameter of a REST handler: the header `Idempotency-Key`, if there is one.
 * @throws AppError `validation_failed` when it breaks the rule of a `client_message_id`
 */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string | undefined => {
  const key = context.switchToHttp().getRequest<FastifyRequest>().headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !CLIENT_KEY.test(key)) {
    throw AppError.invalidField('Idempotency-Key', CLIENT_KEY_RULE);
  }
  return key;
});

/**
 * Returns the body with the key of the header as its `client_message_id`.
 * @throws AppError `validation_failed` when the body has another one
 */
export function withKey(body: SendMessageDto, key: string | undefined): SendMessageDto {
  const { client_message_id = key } = body;
  if (key !== undefined && client_message_id !== key) {
    throw AppError.invalidField('client_message_id', 'must be the same as the header Idempotency-Key');
  }
  return { ...body, client_message_id };
}
