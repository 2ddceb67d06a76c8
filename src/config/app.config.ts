import { createSecretKey, type KeyObject } from 'node:crypto';
import { resolve } from 'node:path';
import { registerAs } from '@nestjs/config';
import { keptJwtSecret } from './jwt-secret.js';
import { parseSettings } from './settings.js';

/** The whole configuration, read once; nothing else reads `process.env`. */
export interface AppConfig {
  readonly production: boolean;
  readonly port: number;
  readonly host: string;
  /** Unset: an embedded PostgreSQL in `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly databasePoolSize: number;
  /** Unset: nodes on one database hear of each other from the database alone. */
  readonly redisUrl: string | undefined;
  /** Absolute. */
  readonly dataDir: string;
  /** A key object: with a string, jsonwebtoken takes fifty times as long (auth0/node-jsonwebtoken#966). */
  readonly jwtKey: KeyObject;
  readonly accessTokenTtlSeconds: number;
  readonly refreshTokenTtlSeconds: number;
  /** Browser origins allowed: a list, or true for any. */
  readonly corsOrigins: readonly string[] | true;
  /** Whose X-Forwarded-For is believed: addresses, blocks and the names of ranges. */
  readonly trustedProxies: readonly string[];
  readonly logLevel: string;
  /** Whether what one user or address may ask for is limited. */
  readonly rateLimit: boolean;
  readonly metricsPort: number | undefined;
  readonly migrateOnStart: boolean;
}

/** Reads and checks the environment. @throws StartupError naming what is wrong. */
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
    jwtKey: createSecretKey(settings.JWT_SECRET ?? keptJwtSecret(dataDir), 'utf8'),
    accessTokenTtlSeconds: settings.ACCESS_TOKEN_TTL,
    refreshTokenTtlSeconds: settings.REFRESH_TOKEN_TTL,
    corsOrigins: settings.CORS_ORIGINS.length > 0 || production ? settings.CORS_ORIGINS : true,
    trustedProxies: settings.TRUST_PROXY,
    logLevel: settings.LOG_LEVEL,
    rateLimit: settings.RATE_LIMIT,
    metricsPort: settings.METRICS_PORT,
    migrateOnStart: settings.MIGRATE_ON_START,
  };
}

/** Injection: `@Inject(appConfig.KEY) config: AppConfig`. */
export const appConfig = registerAs('app', () => loadConfig());
