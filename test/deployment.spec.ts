import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { load } from 'js-yaml';

interface Service {
  readonly image?: string;
  readonly ports?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

describe('docker-compose.yml', () => {
  const { services } = load(readFileSync('docker-compose.yml', 'utf8')) as { services: Record<string, Service> };

  it.each(Object.entries(services))(
    'runs %s without capabilities, on a read-only disk, within limits',
    (_, service) => {
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        mem_limit: expect.any(String),
        pids_limit: expect.any(Number),
      });
    },
  );

  it('holds no secret: each comes from outside, and the start fails without it', () => {
    const required = /\$\{(JWT_SECRET|POSTGRES_PASSWORD):\?[^}]+\}/;
    expect(services.app!.environment.JWT_SECRET).toMatch(required);
    expect(services.app!.environment.DATABASE_URL).toMatch(required);
    expect(services.db!.environment.POSTGRES_PASSWORD).toMatch(required);
  });

  it('publishes the application to this machine only, and PostgreSQL not at all', () => {
    expect(services.app!.ports).toEqual(['${PUBLISH_ON:-127.0.0.1}:8000:8000']);
    expect(services.db!.ports).toBeUndefined();
  });

  it('names exact versions of images, as the Dockerfile does', () => {
    expect(services.db!.image).toMatch(/^postgres:\d+\.\d+-\w+$/);
    const froms = readFileSync('Dockerfile', 'utf8').match(/^FROM \S+:\S+/gm)!;
    for (const from of froms) expect(from).toMatch(/:\d+\.\d+\.\d+-[\w-]+$/);
  });
});

describe('an installation', () => {
  it('sends no statistics, also with an npm that runs all scripts of dependencies', async () => {
    let reports = 0;
    const collector = createServer((_, response) => {
      reports += 1;
      response.end();
    });
    await once(collector.listen(0, '127.0.0.1'), 'listening');
    const { port } = collector.address() as AddressInfo;
    const script = spawn(process.execPath, ['report.js'], {
      cwd: resolve('node_modules/@scarf/scarf'),
      env: { ...process.env, DO_NOT_TRACK: undefined, SCARF_ANALYTICS: undefined, SCARF_LOCAL_PORT: String(port) },
    });
    await once(script, 'close');
    collector.close();
    expect(reports).toBe(0);
  });
});

describe('the program', () => {
  it('gets the same flags of Node from npm start, npm run start:prod and the image', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const [, command] = /^CMD (.*)$/m.exec(readFileSync('Dockerfile', 'utf8'))!;
    const image = (JSON.parse(command!) as string[]).join(' ');
    expect(image).toMatch(/^node --max-semi-space-size=\d+ dist\/src\/main\.js$/);
    expect([scripts['start:prod'], scripts.start]).toEqual([image, `nest build && ${image}`]);
  });
});
