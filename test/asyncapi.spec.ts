import { readFileSync } from 'node:fs';
import { eventsOf } from './support/routes.js';
import { TestApp } from './support/test-app.js';
import { expectReferences } from './wire/expect-references.js';
import { JsonSchemas } from './wire/json-schemas.js';

describe('the AsyncAPI document', () => {
  let app: TestApp;
  let document: any;
  beforeAll(async () => {
    app = await TestApp.start();
    document = (await app.request('GET', '/asyncapi.json')).body;
  });
  afterAll(() => app.close());

  const messages = () => Object.entries<any>(document.components.messages);

  it('equals the committed asyncapi.json, and has the version of package.json', () => {
    expect(document.info.version).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version);
    expect(document).toEqual(JSON.parse(readFileSync('asyncapi.json', 'utf8')));
  });

  it('names every command of the gateway', () => {
    const received = Object.values<any>(document.operations)
      .filter(({ action, channel }) => action === 'receive' && channel.$ref === '#/channels/socketio')
      .map(({ messages: [message] }) => document.components.messages[message.$ref.split('/').at(-1)].name);
    expect(received.sort()).toEqual(['connect', ...eventsOf(app)].sort());
  });

  it('has what each $ref points to', () => {
    expectReferences(document);
  });

  it('has examples that fit their schemas', () => {
    const schemas = new JsonSchemas(document);
    for (const [name, schema] of Object.entries<any>(document.components.schemas)) {
      for (const [field, property] of Object.entries<any>(schema.properties ?? {})) {
        for (const example of property.examples ?? []) {
          expect(schemas.faultOf(`/components/schemas/${name}/properties/${field}`, example)).toBeUndefined();
        }
      }
    }
  });

  it('is shown at /docs/events without a script, under the content security policy of the server', async () => {
    const { status, headers, body } = await app.request<string>('GET', '/docs/events');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(body).not.toMatch(/<script|\son\w+=|javascript:/i);
    for (const [, { name }] of messages()) expect(body).toContain(name);
    for (const name of Object.keys(document.components.schemas)) expect(body).toContain(`<section id="${name}">`);
    const targets = [...body.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id!);
    for (const id of targets) expect(body).toContain(`id="${id}"`);
  });
});
