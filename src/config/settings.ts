import { isIP } from 'node:net';
import { StartupError } from '../common/errors/startup-error.js';

/** One environment variable: its default as text, its help in `.env.example`, and the parser of its text. */
export interface Setting<T> {
  readonly default: string;
  readonly help: string;
  /** Throws an `Error` that states the rule and never repeats the value. */
  readonly parse: (text: string) => T;
}

const setting = <T>(defaultText: string, help: string, parse: (text: string) => T): Setting<T> => ({
  default: defaultText,
  help,
  parse,
});

const text = (value: string): string => value;

const optional =
  <T>(parse: (value: string) => T) =>
  (value: string): T | undefined =>
    value === '' ? undefined : parse(value);

const integer =
  (min: number, max: number) =>
  (value: string): number => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
    if (!(number >= min && number <= max)) throw new Error(`must be a whole number from ${min} to ${max}`);
    return number;
  };

const oneOf =
  <const T extends string>(...choices: T[]) =>
  (value: string): T => {
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw new Error(`must be one of ${choices.join(', ')}`);
    return choice;
  };

const flag = (value: string): boolean => oneOf('true', 'false')(value) === 'true';

const onOff = (value: string): boolean => oneOf('on', 'off')(value) === 'on';

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

const seconds = (value: string): number => {
  const match = /^([1-9]\d{0,8})([smhd])$/.exec(value);
  if (!match) throw new Error('must be a number with a unit, such as 30s, 15m, 12h or 30d');
  return Number(match[1]) * UNIT_SECONDS[match[2]!]!;
};

const urlOf =
  (example: string, ...protocols: string[]) =>
  (value: string): string => {
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
      throw new Error(`must look like ${example}`);
    }
    return value;
  };

const postgresUrl = urlOf('postgres://user:password@host:5432/database', 'postgres:', 'postgresql:');
const redisUrl = urlOf('redis://user:password@host:6379', 'redis:', 'rediss:');

const secret = (value: string): string => {
  if (value.length < 32) throw new Error('must have 32 characters or more');
  return value;
};

const list = (value: string): string[] =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

const origins = (value: string): string[] => {
  const all = list(value);
  if (!all.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin)) {
    throw new Error('must be origins separated by commas, such as https://chat.example.com');
  }
  return all;
};

const isAddressBlock = (text: string): boolean => {
  const [, address = '', bits = '1'] = /^([^/%]+)(?:\/([1-9]\d{0,2}))?$/.exec(text) ?? [];
  return isIP(address) > 0 && Number(bits) <= (isIP(address) === 4 ? 32 : 128);
};

const proxies = (value: string): string[] => {
  const all = list(value);
  if (!all.every((proxy) => ['loopback', 'linklocal', 'uniquelocal'].includes(proxy) || isAddressBlock(proxy))) {
    throw new Error('must be addresses, blocks such as 10.0.0.0/8, loopback or uniquelocal, separated by commas');
  }
  return all;
};

/**
 * Every variable that the application reads: the one list behind the configuration and `.env.example`. To add one, add
 * it here and to `AppConfig`.
 */
export const SETTINGS = {
  NODE_ENV: setting(
    'development',
    'development, test or production. In production DATABASE_URL and JWT_SECRET are required.',
    oneOf('development', 'test', 'production'),
  ),
  PORT: setting('8000', 'The port for HTTP and Socket.IO.', integer(0, 65_535)),
  HOST: setting('127.0.0.1', 'The address to listen on; 0.0.0.0 in a container.', text),
  DATABASE_URL: setting(
    '',
    'postgres://user:password@host:5432/database. Left empty outside production, a real PostgreSQL is started from node_modules.',
    optional(postgresUrl),
  ),
  REDIS_URL: setting(
    '',
    'redis://user:password@host:6379, or rediss:// with TLS. For several processes on one database: each notifies the others of its changes at once. Left empty, they find them in the database within 5 s.',
    optional(redisUrl),
  ),
  DATABASE_POOL_SIZE: setting(
    '10',
    'Connections to PostgreSQL for the requests, at the most. One more is for its own polls.',
    integer(1, 1_000),
  ),
  DATA_DIR: setting('./.data', 'The folder of the embedded PostgreSQL and the generated JWT secret.', text),
  JWT_SECRET: setting(
    '',
    'The secret that signs access tokens, 32 characters or more. Left empty outside production, one is made and stored in DATA_DIR.',
    optional(secret),
  ),
  ACCESS_TOKEN_TTL: setting('15m', 'How long an access token is good: a number and s, m, h or d.', seconds),
  REFRESH_TOKEN_TTL: setting(
    '30d',
    'How long a session lives without a refresh, in the same form. Longer than ACCESS_TOKEN_TTL.',
    seconds,
  ),
  CORS_ORIGINS: setting(
    '',
    'Origins of browser apps, separated by commas. Empty: none in production, any elsewhere.',
    origins,
  ),
  LOG_LEVEL: setting(
    'info',
    'fatal, error, warn, info, debug, trace or silent.',
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
  ),
  TRUST_PROXY: setting(
    '',
    'The reverse proxies in front of it: addresses, blocks such as 10.0.0.0/8, loopback or uniquelocal, separated by commas. Only their X-Forwarded-For is trusted. Empty: none is.',
    proxies,
  ),
  RATE_LIMIT: setting(
    'on',
    'on or off: rate limits for each user and address, those for a day included. Off is for load tests only.',
    onOff,
  ),
  MAX_CHATS: setting('10000', 'Chats that a person can be in.', integer(1, 1_000_000)),
  MAX_GROUP_MEMBERS: setting('2000', 'Members that a group can have.', integer(1, 100_000)),
  MAX_GROUPS_PER_DAY: setting('100', 'Groups that a person can make in 24 hours.', integer(0, 1_000_000)),
  MAX_ADDITIONS_PER_DAY: setting(
    '2000',
    'People whom a person can add to groups in 24 hours, those of new groups included.',
    integer(0, 1_000_000),
  ),
  METRICS_PORT: setting(
    '',
    'A port of its own for /metrics (on HOST). Left empty, it is 9464 in production; elsewhere /metrics is served on PORT.',
    optional(integer(0, 65_535)),
  ),
  MIGRATE_ON_START: setting('true', 'true or false: bring the schema up to date at start.', flag),
} as const;

/** What earlier files of ours had as an example, and what everybody therefore knows. */
const PUBLIC_SECRETS = new Set(['for-development-only-replace-this-secret']);

type Settings = { -readonly [K in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[K]['parse']> };

/**
 * Reads all settings from an environment. An unset or empty variable has its default.
 * @throws StartupError that names every missing or malformed variable and its rule, never a value
 */
export function parseSettings(env: Record<string, string | undefined>): Settings {
  const problems: string[] = [];
  const read = ([name, { default: defaultText, parse }]: [string, Setting<unknown>]): [string, unknown] => {
    try {
      return [name, parse(env[name]?.trim() || defaultText)];
    } catch (error) {
      problems.push(`${name} ${(error as Error).message}`);
      return [name, undefined];
    }
  };
  const settings = Object.fromEntries(Object.entries<Setting<unknown>>(SETTINGS).map(read)) as Settings;
  if (settings.NODE_ENV === 'production') {
    for (const name of ['DATABASE_URL', 'JWT_SECRET'] as const) {
      if (!env[name]?.trim()) problems.push(`${name} is required in production`);
    }
    if (PUBLIC_SECRETS.has(settings.JWT_SECRET ?? '')) problems.push('JWT_SECRET must not be one that is published');
  }
  if (settings.REFRESH_TOKEN_TTL <= settings.ACCESS_TOKEN_TTL) {
    problems.push('REFRESH_TOKEN_TTL must be longer than ACCESS_TOKEN_TTL');
  }
  if (problems.length > 0) throw new StartupError(`The configuration is not usable: ${problems.join('; ')}.`);
  return settings;
}

/** The text of `.env.example`. A spec checks that the file is equal to it. */
export function exampleEnv(): string {
  const entries = Object.entries<Setting<unknown>>(SETTINGS);
  return entries.map(([name, { help, default: value }]) => `# ${help}\n${name}=${value}\n`).join('\n');
}
