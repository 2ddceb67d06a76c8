// The error codes of operations and commands in a form that oasdiff compares: it looks at headers, and neither at examples
// nor at fields of our own.

export type Json = Record<string, any>;

/** The errors that an answer may be, each as a header of it. */
export const asHeaders = (codes: readonly string[]): Json =>
  Object.fromEntries(codes.map((code) => [`error ${code}`, { schema: { type: 'string' } }]));

/** A copy of an OpenAPI document, in which each answer has its errors as headers. */
export function withErrorCodes(openApi: Json): Json {
  const copy = structuredClone(openApi);
  const operations = Object.values<Json>(copy.paths).flatMap((item) => Object.values<Json>(item));
  for (const response of operations.flatMap(({ responses }) => Object.values<Json>(responses))) {
    const codes = Object.keys(response.content?.['application/problem+json']?.examples ?? {});
    response.headers = { ...response.headers, ...asHeaders(codes) };
  }
  return copy;
}
