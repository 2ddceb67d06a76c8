import type { ErrorCode } from '../../src/contract/errors.js';
import type { Answer } from './http.js';

/** The answer is this problem (RFC 9457), and `errors` names exactly these fields. */
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

/** All of an answer but what differs between any two. */
export function faceOf({ status, headers, body }: Answer): string {
  const shown = [...headers].filter(([name]) => !['date', 'x-request-id', 'connection', 'keep-alive'].includes(name));
  return JSON.stringify([status, shown.sort(), { ...body, request_id: '' }]);
}

/** Nothing but the request id tells the two answers apart. */
export function expectAlike(one: Answer, other: Answer): void {
  expect(faceOf(one)).toBe(faceOf(other));
}
