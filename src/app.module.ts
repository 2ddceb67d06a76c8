import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { AccountsModule } from './accounts/accounts.module.js';
import { AuthModule } from './auth/auth.module.js';
import { ChatsModule } from './chats/chats.module.js';
import { ClientAddressModule } from './common/http/client-address.finder.js';
import { ShutdownModule } from './common/shutdown.state.js';
import { appConfig } from './config/app.config.js';
import { DatabaseModule } from './database/database.module.js';
import { GroupsModule } from './groups/groups.module.js';
import { HealthModule } from './health/health.module.js';
import { LimitsModule } from './limits/limits.module.js';
import { LoggingModule } from './logging/logging.module.js';
import { MessagesModule } from './messages/messages.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { RealtimeModule } from './realtime/realtime.module.js';
import { RedisModule } from './redis/redis.module.js';
import { UsersModule } from './users/users.module.js';

/** The root module. `startup.ts`, the tests and `npm run openapi` create the application from it. */
@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, cache: true, load: [appConfig] }),
    LoggingModule,
    ShutdownModule,
    ClientAddressModule,
    DatabaseModule,
    RedisModule,
    LimitsModule,
    AuthModule,
    UsersModule,
    ChatsModule,
    GroupsModule,
    MessagesModule,
    AccountsModule,
    RealtimeModule,
    MetricsModule,
    HealthModule,
  ],
})
export class AppModule {}
