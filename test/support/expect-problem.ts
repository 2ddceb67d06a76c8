import type { ErrorCode } from '../../src/contract/errors.js';
import type { Answer } from './http.js';

/** Expects a problem document (RFC 9457) with this status and code, whose `errors` name exactly these fields. */
export function expectProblem({ status, headers, body }: Answer, expected: number, code: ErrorCode, fields?: string[]) {
  expect({ status, code: body.code }).toEqual({ status: expected, code });
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json\b/);
  const { errors, ...rest } = body;
  expect(rest).toEqual({
    type: 'about:blank',
    title: expect.stringMatching(/./),
    status,
    detail: expect.stringMatching(/./),
    code,
    request_id: headers.get('x-request-id'),
  });
  if (fields) {
    expect(errors.map((error: { field: string }) => error.field).sort()).toEqual([...fields].sort());
    for (const { message } of errors) expect(message).toMatch(/./);
  }
}

/** The answer as text, without the parts that differ between any two answers. */
export function comparableText({ status, headers, body }: Answer): string {
  const shown = [...headers].filter(([name]) => !['date', 'x-request-id', 'connection', 'keep-alive'].includes(name));
  return JSON.stringify([status, shown.sort(), { ...body, request_id: '' }]);
}

/** Expects two answers that differ in nothing but the request id. */
export function expectSameAnswer(one: Answer, other: Answer): void {
  expect(comparableText(one)).toBe(comparableText(other));
}
