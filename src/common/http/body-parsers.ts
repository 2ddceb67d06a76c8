import { parse as parseQuery } from 'node:querystring';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppError } from '../errors/app-error.js';
import { isPercentEncoded, textOf } from './utf8.js';

/** The content type of a form. */
export const FORM = 'application/x-www-form-urlencoded';

/** Has bodies read as JSON or as a form, in UTF-8 and nothing else. `bodyLimit` is in bytes. */
export function useBodyParsers(adapter: FastifyAdapter, bodyLimit: number): void {
  const fastify = adapter.getInstance();
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeContentTypeParser('text/plain');
  adapter.useBodyParser('application/json', false, { bodyLimit }, (request, body, done) => {
    // A content type without a body is no JSON error: the request has no body.
    if (body.length === 0) done(null, undefined);
    else void parseJson(request, textOf(body, 'body'), done);
  });
  adapter.useBodyParser(FORM, false, { bodyLimit }, (_, body, done) => done(null, parseForm(textOf(body, 'body'))));
}

/**
 * The fields of a form. An empty one is left out, as RFC 6749 (3.2) says: generated clients send all fields that they
 * know. A field that comes twice is a list, which no rule accepts.
 */
function parseForm(text: string): object {
  if (!isPercentEncoded(text)) throw AppError.invalidField('body', 'must be percent-encoded UTF-8');
  const fields = Object.entries(parseQuery(text, '&', '=', { maxKeys: 0 }));
  return Object.fromEntries(fields.filter(([, value]) => value !== ''));
}
