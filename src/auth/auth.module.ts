import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { TypeOrmModule } from '@nestjs/typeorm';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { RateLimitGuard } from '../limits/rate-limit.guard.js';
import { UsersModule } from '../users/users.module.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { LoginThrottle } from './login.throttle.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { JwtStrategy } from './jwt.strategy.js';
import { ARGON2_OPTIONS, DEFAULT_ARGON2_OPTIONS, PasswordsService } from './passwords.service.js';
import { RevokedSessionsRegistry } from './revoked-sessions.registry.js';
import { Session } from './session.entity.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';
import { TOKEN_ALGORITHM, TokensService } from './tokens.service.js';

/**
 * Accounts, logins, sessions and tokens. It binds the two global guards of HTTP: the token guard, then the rate limit.
 * Sockets take `TokensService` and `RevokedSessionsRegistry` from here.
 */
@Module({
  imports: [
    UsersModule,
    PassportModule,
    TypeOrmModule.forFeature([Session]),
    JwtModule.registerAsync({
      inject: [appConfig.KEY],
      useFactory: ({ jwtKey, accessTokenTtlSeconds }: AppConfig) => ({
        secret: jwtKey,
        signOptions: { algorithm: TOKEN_ALGORITHM, expiresIn: accessTokenTtlSeconds },
        verifyOptions: { algorithms: [TOKEN_ALGORITHM] },
      }),
    }),
  ],
  controllers: [AuthController, SessionsController],
  providers: [
    AuthService,
    LoginThrottle,
    JwtStrategy,
    PasswordsService,
    { provide: ARGON2_OPTIONS, useValue: DEFAULT_ARGON2_OPTIONS },
    RevokedSessionsRegistry,
    SessionsRepository,
    SessionsService,
    TokensService,
    { provide: APP_GUARD, useClass: JwtAuthGuard },
    // After the token guard, because it counts by user.
    { provide: APP_GUARD, useClass: RateLimitGuard },
  ],
  exports: [AuthService, RevokedSessionsRegistry, SessionsService, TokensService],
})
export class AuthModule {}
