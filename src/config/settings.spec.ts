import { readFileSync } from 'node:fs';
import { exampleEnv, parseSettings } from './settings.js';

describe('settings', () => {
  it('are those of .env.example', () => {
    expect(readFileSync('.env.example', 'utf8')).toBe(exampleEnv());
  });

  it('have defaults that work without any variable', () => {
    expect(parseSettings({})).toMatchObject({
      PORT: 8000,
      DATA_DIR: './.data',
      ACCESS_TOKEN_TTL: 900,
      REFRESH_TOKEN_TTL: 2_592_000,
      RATE_LIMIT: true,
      METRICS_PORT: undefined,
    });
  });

  it('refuse a secret in production that everybody knows', () => {
    const env = {
      NODE_ENV: 'production',
      DATABASE_URL: 'postgres://localhost/windi',
      JWT_SECRET: 'for-development-only-replace-this-secret',
    };
    expect(() => parseSettings(env)).toThrow(/JWT_SECRET must not be one that is published/);
    expect(() => parseSettings({ ...env, JWT_SECRET: `${env.JWT_SECRET} not` })).not.toThrow();
  });

  it('are parsed from text', () => {
    const env = {
      PORT: ' 9000 ',
      ACCESS_TOKEN_TTL: '12h',
      CORS_ORIGINS: 'https://a.example, http://localhost:3000',
      TRUST_PROXY: '10.0.0.0/8, 2001:db8::1,uniquelocal',
      RATE_LIMIT: 'off',
      MIGRATE_ON_START: 'false',
    };
    expect(parseSettings(env)).toMatchObject({
      PORT: 9000,
      ACCESS_TOKEN_TTL: 43_200,
      CORS_ORIGINS: ['https://a.example', 'http://localhost:3000'],
      TRUST_PROXY: ['10.0.0.0/8', '2001:db8::1', 'uniquelocal'],
      RATE_LIMIT: false,
      MIGRATE_ON_START: false,
    });
  });

  it('refuse a REFRESH_TOKEN_TTL that is not longer than ACCESS_TOKEN_TTL', () => {
    expect(() => parseSettings({ ACCESS_TOKEN_TTL: '1h', REFRESH_TOKEN_TTL: '60m' })).toThrow(
      'REFRESH_TOKEN_TTL must be longer than ACCESS_TOKEN_TTL',
    );
  });

  it.each([
    { PORT: '80a' },
    { PORT: '65536' },
    { ACCESS_TOKEN_TTL: '15' },
    { CORS_ORIGINS: 'https://a.example/path' },
    { MIGRATE_ON_START: 'yes' },
    { RATE_LIMIT: 'true' },
    { TRUST_PROXY: 'true' },
    { TRUST_PROXY: '10.0.0.0/33' },
    { TRUST_PROXY: '10.0.0.0/8/8' },
    { TRUST_PROXY: 'fe80::1%eth0' },
    { TRUST_PROXY: 'proxy.example.com' },
    { DATABASE_POOL_SIZE: '0' },
  ])('refuse %j with an error that names the variable and not its value', (env) => {
    const [name, value] = Object.entries(env)[0]!;
    expect(() => parseSettings(env)).toThrow(
      new RegExp(`^The configuration is not usable: ${name} must be (?!.*${value}$)`),
    );
  });
});
