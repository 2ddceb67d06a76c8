/** The headers of answers that the OpenAPI document declares, as its `components.headers`. */
export const HEADERS = {
  'X-Request-Id': {
    description: 'The id of the request; the server logs it. It is yours, if you sent one.',
    schema: { type: 'string', examples: ['5f0c6a5e-8f0e-4b7e-9a55-0d3c2f1b9a77'] },
  },
  'X-RateLimit-Limit': {
    description: 'How many requests the window allows.',
    schema: { type: 'integer', minimum: 0, examples: [1200] },
  },
  'X-RateLimit-Remaining': {
    description: 'How many of them are left.',
    schema: { type: 'integer', minimum: 0, examples: [1199] },
  },
  'X-RateLimit-Reset': {
    description: 'In how many seconds the window ends.',
    schema: { type: 'integer', minimum: 0, examples: [60] },
  },
  'Retry-After': {
    description: 'In how many seconds to try again.',
    schema: { type: 'integer', minimum: 1, examples: [1] },
  },
  'WWW-Authenticate': {
    description: 'How to authenticate.',
    schema: { type: 'string', examples: ['Bearer'] },
  },
};

/** A reference to a header, for the `headers` of a response. */
export const headerReference = (name: keyof typeof HEADERS): { $ref: string } => ({
  $ref: `#/components/headers/${name}`,
});
