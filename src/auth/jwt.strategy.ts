import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { TOKEN_ALGORITHM, type TokenPayload } from './tokens.service.js';

/** Checks signature and expiry. Passport has one strategy for the whole process: what an application knows is its guard's. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor(@Inject(appConfig.KEY) config: AppConfig) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      algorithms: [TOKEN_ALGORITHM],
      // passport-jwt hands the key on to jsonwebtoken, which takes a KeyObject; the typings know only text and buffers.
      secretOrKeyProvider: (_request, _token, done) => done(null, config.jwtKey as unknown as Buffer),
    });
  }

  validate(payload: TokenPayload): TokenPayload {
    return payload;
  }
}
