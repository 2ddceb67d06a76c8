import { Global, Module } from '@nestjs/common';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { DomainEventBus } from '../common/domain-event.bus.js';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { dataSourceOptions } from './data-source-options.js';
import { DatabaseClock } from './database.clock.js';
import { DatabaseMonitor } from './database.monitor.js';
import { checkBaseline, migrate } from './migrate.js';
import { PollingConnection } from './polling.connection.js';
import { PostgresServer } from './postgres.server.js';
import { UnitOfWork } from './unit-of-work.js';

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
    PostgresServerModule,
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
