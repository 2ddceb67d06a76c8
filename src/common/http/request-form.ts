import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';

const FORM = 'application/x-www-form-urlencoded';

/** Whether the address is ASCII, and percent-encoded UTF-8 without a mistake. */
export function isReadable(url: string): boolean {
  if (!/^[!-~]*$/.test(url)) return false;
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

/**
 * Refuses a request whose form no route could accept, before its body is read. The headers for CORS are set by then.
 * @throws AppError `validation_failed`, `expectation_failed`, `unsupported_media_type`
 */
export function assertForm(request: FastifyRequest, reply: FastifyReply): void {
  const { headers, originalUrl } = request;
  if (!isReadable(originalUrl)) throw new AppError('validation_failed', 'The address is not percent-encoded UTF-8.');
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
  // Only a login accepts a form. The fields of a form are all text, and other routes need numbers.
  const acceptsForm = (routeOptions.config as { acceptsForm?: boolean }).acceptsForm;
  if (type.toLowerCase().startsWith(FORM) && !acceptsForm) throw new AppError('unsupported_media_type');
}
