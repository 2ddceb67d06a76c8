import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OpenAPIObject } from '@nestjs/swagger';
import { loadConfig } from '../src/config/app.config.js';
import { MetricsService } from '../src/metrics/metrics.service.js';
import { expectProblem } from './support/expect-problem.js';
import { routesOf } from './support/routes.js';
import { TestApp } from './support/test-app.js';
import { expectReferences } from './wire/expect-references.js';
import { JsonSchemas } from './wire/json-schemas.js';

describe('the OpenAPI document', () => {
  let app: TestApp;
  let document: OpenAPIObject;
  beforeAll(async () => {
    app = await TestApp.start();
    document = (await app.request('GET', '/openapi.json')).body;
  });
  afterAll(() => app.close());

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item as Record<string, any>).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        operation,
      })),
    );

  it('equals the committed openapi.json, but for the server, and has the version of package.json', () => {
    const committed: OpenAPIObject = JSON.parse(readFileSync('openapi.json', 'utf8'));
    expect(document).toEqual({ ...committed, servers: [{ ...document.servers![0], url: '/' }] });
    expect(committed.info.version).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version);
    expect(committed.servers!.map(({ url }) => url)).toEqual(['http://localhost:8000']);
  });

  it('has what each $ref points to', () => {
    expectReferences(document);
  });

  it('has examples that fit their schemas', () => {
    const schemas = new JsonSchemas(document);
    for (const [name, schema] of Object.entries<any>(document.components!.schemas!)) {
      for (const [field, property] of Object.entries<any>(schema.properties ?? {})) {
        const pointer = `/components/schemas/${name}/properties/${field}`;
        for (const example of property.examples ?? []) expect(schemas.faultOf(pointer, example)).toBeUndefined();
      }
    }
    for (const { value } of Object.values<any>(document.components!.examples!)) {
      expect(schemas.faultOf('/components/schemas/Problem', value)).toBeUndefined();
    }
  });

  it('has bounds for every integer, and refuses unknown fields in what a client sends', () => {
    const text = JSON.stringify(document);
    const integers = text.match(/\{[^{}]*"type":"integer"[^{}]*\}/g)!;
    expect(integers.filter((schema) => !/"minimum":\d/.test(schema))).toEqual([]);
    for (const { name, operation } of operations()) {
      const media: any[] = Object.values(operation.requestBody?.content ?? {});
      for (const { schema } of media) {
        const own: any = document.components!.schemas![schema.$ref.split('/').at(-1)];
        for (const part of own.oneOf ?? [schema]) {
          const closed: any = document.components!.schemas![part.$ref.split('/').at(-1)];
          expect([name, closed.additionalProperties]).toEqual([name, false]);
          const defaults = Object.values<any>(closed.properties).filter((property) => 'default' in property);
          expect([name, defaults]).toEqual([name, []]);
          // Generators make a type of each branch, or fail.
          expect([name, closed.anyOf]).toEqual([name, undefined]);
        }
      }
    }
  });

  it.each([
    ['Register', 'name', 'Ada\u0085Lovelace', '\u0001'],
    ['EditMessage', 'text', 'a\0b', '\0', ' \n'],
  ])('refuses in the patterns of %s what the server refuses: %s', (schema, field, ...texts) => {
    const schemas = new JsonSchemas(document);
    const pointer = `/components/schemas/${schema}/properties/${field}`;
    for (const text of texts) expect([text, schemas.faultOf(pointer, text)]).toEqual([text, expect.any(String)]);
  });

  it('names every route of every controller', () => {
    expect(
      operations()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(routesOf(app).sort());
  });

  it('gives each operation a unique id, a summary, a description, and the errors that all can have', () => {
    const ids = operations().map(({ operation }) => operation.operationId as string);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { name, operation } of operations()) {
      expect([name, operation.operationId]).toEqual([name, expect.stringMatching(/^[a-z][A-Za-z]+$/)]);
      expect([name, operation.summary]).toEqual([name, expect.any(String)]);
      expect([name, operation.description]).toEqual([name, expect.stringMatching(/./)]);
      const needed = operation.security.length > 0 ? ['401', '500', '503'] : ['500', '503'];
      expect([name, Object.keys(operation.responses)]).toEqual([name, expect.arrayContaining(needed)]);
    }
  });

  it('has a schema for every request and response body, with an example for every field', () => {
    for (const { name, operation } of operations()) {
      for (const [status, response] of Object.entries<any>(operation.responses)) {
        if (status === '204') continue;
        const [media] = Object.values<any>(response.content ?? {});
        expect([name, status, media?.schema]).toEqual([name, status, expect.any(Object)]);
      }
    }
    for (const [name, schema] of Object.entries<any>(document.components!.schemas!)) {
      for (const [field, property] of Object.entries<any>(schema.properties ?? {})) {
        const refers = property.$ref ?? property.anyOf ?? property.items ?? property.enum;
        expect([name, field, refers !== undefined || 'examples' in property]).toEqual([name, field, true]);
      }
    }
  });

  it('says of each id in a path that a malformed one is a validation_failed, and so it is', async () => {
    const user = await app.user();
    for (const [path, item] of Object.entries(document.paths)) {
      const ids = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
      for (const method of ids.length > 0 ? Object.keys(item) : []) {
        const answer = await user.request(method.toUpperCase(), path.replace(/\{\w+\}/g, '0'));
        expectProblem(answer, 400, 'validation_failed');
      }
    }
  });

  it('is shown at /docs', async () => {
    const { status, body } = await app.request('GET', '/docs');
    expect(status).toBe(200);
    expect(body).toContain('swagger-ui');
    expect((await app.request('GET', '/docs/swagger-ui-init.js')).body).toContain('/auth/register');
  });
});

describe('service routes', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  it('report that the process is live and ready', async () => {
    expect((await app.request('GET', '/health/live')).body).toEqual({ status: 'ok' });
    expect((await app.request('GET', '/health/ready')).body.status).toBe('ok');
  });

  it('count messages and requests for Prometheus', async () => {
    const ada = await app.user();
    await ada.say(await ada.group());
    const { status, headers, body } = await app.request<string>('GET', '/metrics');
    expect([status, headers.get('content-type')]).toEqual([200, expect.stringContaining('text/plain')]);
    expect(body).toMatch(/^windi_messages_created_total 1$/m);
    expect(body).toMatch(
      /^windi_http_request_duration_seconds_count\{method="POST",route="\/messages",status="201"\} 1$/m,
    );
  });

  it('serve the metrics on port 9464 in production, and on the main port elsewhere', () => {
    const env = { DATABASE_URL: 'postgres://db/x', JWT_SECRET: 'x'.repeat(32) };
    expect(loadConfig({ ...env, NODE_ENV: 'production' }).metricsPort).toBe(9_464);
    expect(loadConfig({ ...env, NODE_ENV: 'production', METRICS_PORT: '9000' }).metricsPort).toBe(9_000);
    expect(loadConfig(env).metricsPort).toBeUndefined();
  });

  it('serve the metrics on a port of their own when one is set', async () => {
    const other = await TestApp.start({ metricsPort: 0 });
    expect((await other.request('GET', '/metrics')).body.code).toBe('not_found');
    const { server } = other.nest.get<{ server: Server }>(MetricsService);
    const own = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
    expect(await own.text()).toContain('process_cpu_seconds_total');
    const { port } = server.address() as AddressInfo;
    await expect(TestApp.start({ databaseUrl: app.databaseUrl, metricsPort: port })).rejects.toThrow(
      `Port ${port} can't be used for /metrics (EADDRINUSE): set METRICS_PORT.`,
    );
    await other.close();
  });
});
