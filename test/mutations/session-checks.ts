import type { Check } from './check.js';

// Tokens, sessions, sockets and accounts.

const SESSION_ROWS = 'src/auth/sessions.repository.ts';

export const sessionChecks: readonly Check[] = [
  {
    name: 'a route requires a token',
    file: 'src/auth/jwt-auth.guard.ts',
    cut: 'if (this.reflector.getAllAndOverride<boolean>(IS_PUBLIC, [context.getHandler(), context.getClass()])) return true;',
    put: "if (this.reflector) { context.switchToHttp().getRequest().user = { userId: 1, sessionId: '', expiresAt: 0 }; return true; }",
  },
  {
    name: 'what is sent as an email never counts for another account',
    file: 'src/auth/auth.service.ts',
    cut: '`email:${email}`',
    put: 'email',
    red: ['test/login-throttle'],
  },
  {
    name: 'a token of an ended session is refused',
    file: 'src/auth/tokens.service.ts',
    cut: "if (this.revoked.has(sid)) throw new AppError('unauthorized', 'The session has ended.');",
  },
  {
    name: 'a token expires by the current ACCESS_TOKEN_TTL',
    file: 'src/auth/tokens.service.ts',
    cut: 'expiresAt <= this.seconds || ',
    red: ['test/session-revocation'],
  },
  {
    name: 'a token from the future is refused',
    file: 'src/auth/tokens.service.ts',
    cut: ' || iat > this.seconds + CLOCK_MARGIN',
    red: ['test/access-tokens'],
  },
  {
    name: "a token is issued by the database's clock",
    file: 'src/auth/tokens.service.ts',
    cut: ', iat: this.seconds',
    red: ['test/access-tokens'],
  },
  {
    name: 'a request is served only on fresh knowledge of the ended sessions',
    file: 'src/auth/jwt-auth.guard.ts',
    cut: 'await this.revoked.ensureFresh();',
    red: ['test/session-revocation'],
  },
  {
    name: 'a command is served only on fresh knowledge of the ended sessions',
    file: 'src/realtime/commands/ws-jwt.guard.ts',
    cut: 'reading ? reading.then(() => this.check(context)) : this.check(context)',
    put: 'this.check(context)',
    red: ['test/session-revocation'],
  },
  {
    name: 'a handshake is served only on fresh knowledge of the ended sessions',
    file: 'src/realtime/connections/handshake.service.ts',
    cut: 'await this.revoked.ensureFresh()?.catch(() => undefined);',
    red: ['test/session-revocation'],
  },
  {
    name: 'a command requires an active session',
    file: 'src/realtime/commands/ws-jwt.guard.ts',
    cut: ' || this.revoked.has(principal.sessionId)',
    red: ['test/session-revocation'],
  },
  {
    name: 'a command requires an unexpired token',
    file: 'src/realtime/commands/ws-jwt.guard.ts',
    cut: 'principal.expiresAt * 1000 <= this.clock.now()',
    put: 'false',
    red: ['test/gateway'],
  },
  {
    name: 'every command has the guard',
    file: 'src/realtime/realtime.gateway.ts',
    cut: '@UseGuards(WsJwtGuard, CommandLimitGuard)',
    put: '@UseGuards(CommandLimitGuard)',
    red: ['test/gateway'],
  },
  {
    name: "a socket can't name another user_id",
    file: 'src/realtime/connections/handshake.service.ts',
    cut: 'assertOwnUserId(socket);\n      this.join',
    put: 'this.join',
    red: ['test/plain-websocket-handshake'],
  },
  {
    name: 'a socket accepts only a new token of the same user',
    file: 'src/realtime/connections/socket-expiry.service.ts',
    cut: "if (principal.userId !== socket.data.principal.userId) throw new AppError('unauthorized');",
    red: ['test/gateway'],
  },
  {
    name: 'the sockets of an ended session are disconnected',
    file: 'src/realtime/connections/socket-revocation.service.ts',
    cut: 'for (const socket of this.sockets.socketsOf(userId)) this.cutIfRevoked(socket);',
    put: 'void userId;',
    red: ['test/session-revocation'],
  },
  {
    name: 'a socket comes from an allowed origin',
    file: 'src/realtime/connections/allowed-origin.ts',
    cut: 'return host !== undefined && (',
    put: 'return host !== undefined || (',
    red: ['test/cors'],
  },
  {
    name: 'users may end only their own sessions',
    file: SESSION_ROWS,
    cut: 'WHERE user_id = $1 AND ${condition}',
    put: 'WHERE $1::bigint > 0 AND ${condition}',
  },
  {
    name: 'users may see only their own sessions',
    file: SESSION_ROWS,
    cut: '.where(`user_id = :userId AND ${LIVE}`, { userId })',
    put: '.where(`:userId > 0 AND ${LIVE}`, { userId })',
  },
  {
    name: 'an ended session is not refreshed',
    file: SESSION_ROWS,
    cut: '.where(`id = :id AND ${LIVE}`, { id })',
    put: '.where(`id = :id`, { id })',
    red: ['test/token-refresh', 'test/sessions'],
  },
  {
    name: 'a new refresh token is issued only for the current one',
    file: 'src/auth/sessions.service.ts',
    cut: 'if (hash.equals(currentHash)) {',
    put: 'if (currentHash.length > 0) {',
    red: ['test/token-refresh'],
  },
  {
    name: 'a password change requires the current password',
    file: 'src/auth/auth.service.ts',
    cut: "if (!right) throw wrongPassword('current_password');",
    put: 'void right;',
    red: ['test/passwords', 'test/sessions', 'test/auth'],
  },
  {
    name: 'a password change ends the other sessions',
    file: 'src/auth/auth.service.ts',
    cut: "await this.sessions.endOthers(principal, 'password');",
    red: ['test/sessions', 'test/session-revocation'],
  },
  {
    name: 'account closure requires the password',
    file: 'src/auth/auth.service.ts',
    cut: "if (!right) throw wrongPassword('password');",
    put: 'void right;',
    red: ['test/account-closure'],
  },
  {
    name: 'account closure ends all sessions',
    file: 'src/auth/auth.service.ts',
    cut: 'await this.sessions.endAll(userId);',
    red: ['test/account-closure'],
  },
];
