// The messages of an AsyncAPI document as operations of an OpenAPI document, for `oasdiff`: what it knows of requests and
// answers holds for what a socket receives and sends. Tools that compare AsyncAPI documents themselves call any change to
// a payload breaking.

import { asHeaders, type Json } from './error-codes.js';

/** The OpenAPI document with an operation for each message that the server receives, its reply, and each that it sends. */
export function operationsOf(asyncApi: Json): Json {
  const resolve = (part: Json): Json => {
    if (part.$ref === undefined) return part;
    const names = (part.$ref as string).slice('#/'.length).split('/');
    return resolve(names.reduce<any>((found, name) => found[name], asyncApi));
  };
  const payload = (messages: Json[]): Json => {
    const schemas = messages.map((message) => resolve(message).payload as Json);
    return { content: { 'application/json': { schema: schemas.length === 1 ? schemas[0] : { oneOf: schemas } } } };
  };
  const address = (channel: Json): string =>
    `${resolve(channel.servers[0]).pathname}${channel.address as string}`.replace(/\/$/, '');

  const paths: Record<string, Json> = {};
  for (const channel of Object.values<Json>(asyncApi.channels)) {
    const query = Object.entries<Json>(channel.bindings?.ws.query.properties ?? {});
    paths[address(channel)] = {
      get: {
        parameters: query.map(([name, schema]) => ({ in: 'query', name, schema })),
        responses: { 101: { description: 'Connected' } },
      },
    };
  }
  for (const { action, channel, messages, reply } of Object.values<Json>(asyncApi.operations)) {
    for (const message of messages as Json[]) {
      const path = `${address(resolve(channel))}/${resolve(message).name}`;
      const isReceived = action === 'receive';
      const answers = isReceived ? (reply?.messages as Json[] | undefined) : [message];
      const headers = asHeaders((answers ?? []).flatMap((answer) => resolve(answer)['x-errors'] ?? []));
      paths[path] = {
        ...paths[path],
        [isReceived ? 'post' : 'get']: {
          ...(isReceived && { requestBody: { required: true, ...payload([message]) } }),
          responses: { 200: { description: 'The answer', headers, ...(answers && payload(answers)) } },
        },
      };
    }
  }
  return { openapi: '3.1.0', info: asyncApi.info, paths, components: { schemas: asyncApi.components.schemas } };
}
