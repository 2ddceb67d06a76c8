import { Global, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { DomainEventBus } from '../common/domain-event.bus.js';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { dataSourceOptions } from './data-source-options.js';
import { DatabaseClock } from './database.clock.js';
import { DatabaseMonitor } from './database.monitor.js';
import { EmbeddedPostgres } from './embedded-postgres.js';
import { checkBaseline, migrate } from './migrate.js';
import { PollingConnection } from './polling.connection.js';
import { UnitOfWork } from './unit-of-work.js';

/**
 * The PostgreSQL of the application: that of `DATABASE_URL`, or else the embedded one. It starts the embedded server,
 * and stops it after the connection pool has ended.
 */
@Injectable()
class PostgresServer implements OnApplicationShutdown {
  private embedded: EmbeddedPostgres | undefined;

  constructor(@Inject(appConfig.KEY) private readonly config: AppConfig) {}

  /** The URL of the server. The first call starts the embedded one, if it is needed. */
  async url(): Promise<string> {
    if (this.config.databaseUrl) return this.config.databaseUrl;
    this.embedded ??= await EmbeddedPostgres.start(this.config.dataDir);
    return this.embedded.url;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.embedded?.stop();
  }
}

/** A module of its own, so that the factory below can inject `PostgresServer`. */
@Module({ providers: [PostgresServer], exports: [PostgresServer] })
class PostgresServerModule {}

/**
 * Connects the application to PostgreSQL. It first migrates the schema or, if `MIGRATE_ON_START` is false, only checks
 * the baseline. Every module can inject what is exported here.
 */
@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      imports: [PostgresServerModule],
      inject: [appConfig.KEY, PostgresServer],
      useFactory: async (config: AppConfig, server: PostgresServer): Promise<TypeOrmModuleOptions> => {
        const options = dataSourceOptions(await server.url(), config.databasePoolSize);
        await (config.migrateOnStart ? migrate(options) : checkBaseline(options));
        return { ...options, autoLoadEntities: true, retryAttempts: 1 };
      },
    }),
  ],
  providers: [DatabaseClock, DatabaseMonitor, DomainEventBus, PollingConnection, UnitOfWork],
  exports: [DatabaseClock, DatabaseMonitor, DomainEventBus, PollingConnection, UnitOfWork],
})
export class DatabaseModule {}
