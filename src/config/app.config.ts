import { createSecretKey, type KeyObject } from 'node:crypto';
import { resolve } from 'node:path';
import { registerAs } from '@nestjs/config';
import { storedJwtSecret } from './jwt-secret.js';
import { parseSettings } from './settings.js';

/**
 * The whole configuration, read once at start. Nothing outside `src/config` reads `process.env`. `settings.ts` has the
 * variables.
 */
export interface AppConfig {
  readonly production: boolean;
  readonly port: number;
  readonly host: string;
  /** Undefined: an embedded PostgreSQL in `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly databasePoolSize: number;
  /** Undefined: nodes on one database learn of each other's changes only by polling it. */
  readonly redisUrl: string | undefined;
  /** An absolute path. */
  readonly dataDir: string;
  /** A key object, because jsonwebtoken takes fifty times as long with a string (auth0/node-jsonwebtoken#966). */
  readonly jwtKey: KeyObject;
  readonly accessTokenTtlSeconds: number;
  readonly refreshTokenTtlSeconds: number;
  /** The allowed browser origins: a list, or true for any. */
  readonly corsOrigins: readonly string[] | true;
  /** The proxies whose X-Forwarded-For is trusted: addresses, blocks and the names of ranges. */
  readonly trustedProxies: readonly string[];
  readonly logLevel: string;
  /** Whether rate limits and the login throttle are on. */
  readonly rateLimit: boolean;
  /** How many chats, members and additions there can be. Those for a day are off with `rateLimit`. */
  readonly bounds: {
    readonly chats: number;
    readonly groupMembers: number;
    readonly groupsPerDay: number;
    readonly additionsPerDay: number;
  };
  /** Undefined: `/metrics` is served on `port`. */
  readonly metricsPort: number | undefined;
  readonly migrateOnStart: boolean;
}

/** The port of `/metrics` in production. */
const PRODUCTION_METRICS_PORT = 9_464;

/** Reads and checks the environment. @throws StartupError that names every wrong variable */
export function loadConfig(env: Record<string, string | undefined> = process.env): AppConfig {
  const settings = parseSettings(env);
  const production = settings.NODE_ENV === 'production';
  const dataDir = resolve(settings.DATA_DIR);
  return {
    production,
    port: settings.PORT,
    host: settings.HOST,
    databaseUrl: settings.DATABASE_URL,
    redisUrl: settings.REDIS_URL,
    databasePoolSize: settings.DATABASE_POOL_SIZE,
    dataDir,
    jwtKey: createSecretKey(settings.JWT_SECRET ?? storedJwtSecret(dataDir), 'utf8'),
    accessTokenTtlSeconds: settings.ACCESS_TOKEN_TTL,
    refreshTokenTtlSeconds: settings.REFRESH_TOKEN_TTL,
    corsOrigins: settings.CORS_ORIGINS.length > 0 || production ? settings.CORS_ORIGINS : true,
    trustedProxies: settings.TRUST_PROXY,
    logLevel: settings.LOG_LEVEL,
    rateLimit: settings.RATE_LIMIT,
    bounds: {
      chats: settings.MAX_CHATS,
      groupMembers: settings.MAX_GROUP_MEMBERS,
      groupsPerDay: settings.MAX_GROUPS_PER_DAY,
      additionsPerDay: settings.MAX_ADDITIONS_PER_DAY,
    },
    metricsPort: settings.METRICS_PORT ?? (production ? PRODUCTION_METRICS_PORT : undefined),
    migrateOnStart: settings.MIGRATE_ON_START,
  };
}

/** To inject it: `@Inject(appConfig.KEY) config: AppConfig`. */
export const appConfig = registerAs('app', () => loadConfig());
