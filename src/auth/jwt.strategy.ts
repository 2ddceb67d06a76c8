import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { TOKEN_ALGORITHM, type TokenPayload } from './tokens.service.js';

/**
 * Checks the signature of an access token. Passport keeps one strategy of a name for the whole process, and tests run
 * several applications in one. So what belongs to one application, such as its ended sessions and the clock of its
 * database, is checked by `JwtAuthGuard`.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor(@Inject(appConfig.KEY) config: AppConfig) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      algorithms: [TOKEN_ALGORITHM],
      ignoreExpiration: true,
      // passport-jwt passes the key to jsonwebtoken, which accepts a KeyObject; the typings allow only text and
      // buffers.
      secretOrKeyProvider: (_request, _token, done) => done(null, config.jwtKey as unknown as Buffer),
    });
  }

  validate(payload: TokenPayload): TokenPayload {
    return payload;
  }
}
