import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { FORM } from './body-parsers.js';
import { headerText, isAddress } from './utf8.js';

/** The charsets that a content type declares. */
const CHARSETS = /;\s*charset\s*=\s*"?([^\s;"]*)/gi;
const UTF8 = /^utf-?8$/i;

/**
 * Refuses a request whose form no route could accept, before its body is read. The headers for CORS are set by then.
 * @throws AppError `validation_failed`, `expectation_failed`, `unsupported_media_type`
 */
export function assertForm(request: FastifyRequest, reply: FastifyReply): void {
  const { headers, originalUrl, raw } = request;
  if (!isAddress(originalUrl)) throw new AppError('validation_failed', 'The address is not percent-encoded UTF-8.');
  for (let at = 0; at < raw.rawHeaders.length; at += 2) headerText(raw.rawHeaders[at + 1]!, raw.rawHeaders[at]!);
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    throw new AppError('expectation_failed');
  }
  if (hasBody(request)) assertContent(request, reply);
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function assertContent({ headers, routeOptions }: FastifyRequest, reply: FastifyReply): void {
  const { 'content-encoding': encoding = 'identity', 'content-type': type = '' } = headers;
  if (encoding.toLowerCase() !== 'identity') {
    void reply.header('Accept-Encoding', 'identity');
    throw new AppError('unsupported_media_type', 'The body must not be compressed.');
  }
  if (![...type.matchAll(CHARSETS)].every(([, charset]) => UTF8.test(charset!))) {
    throw new AppError('unsupported_media_type', 'The charset must be UTF-8.');
  }
  // Only a login accepts a form. The fields of a form are all text, and other routes need numbers.
  const acceptsForm = (routeOptions.config as { acceptsForm?: boolean }).acceptsForm;
  if (type.toLowerCase().startsWith(FORM) && !acceptsForm) throw new AppError('unsupported_media_type');
}
