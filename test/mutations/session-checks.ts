import type { Check } from './check.js';

const SESSION_ROWS = 'src/auth/sessions.repository.ts';

export const sessionChecks: readonly Check[] = [
  {
    name: 'a route asks for a token',
    file: 'src/auth/jwt-auth.guard.ts',
    cut: 'if (this.reflector.getAllAndOverride<boolean>(IS_PUBLIC, [context.getHandler(), context.getClass()])) return true;',
    put: "if (this.reflector) { context.switchToHttp().getRequest().user = { userId: 1, sessionId: '', expiresAt: 0 }; return true; }",
  },
  {
    name: 'a token of an ended session is none',
    file: 'src/auth/tokens.service.ts',
    cut: "if (this.revoked.has(sid)) throw new AppError('unauthorized', 'The session has ended.');",
  },
  {
    name: 'a token lives no longer than tokens do now',
    file: 'src/auth/tokens.service.ts',
    cut: "if (expiresAt * 1000 <= Date.now()) throw new AppError('token_expired');",
    red: ['test/session-revocation'],
  },
  {
    name: 'a command asks for a session that lives',
    file: 'src/realtime/commands/ws-jwt.guard.ts',
    cut: ' || this.revoked.has(principal.sessionId)',
    red: ['test/session-revocation'],
  },
  {
    name: 'a command asks for a token that lives',
    file: 'src/realtime/commands/ws-jwt.guard.ts',
    cut: 'principal.expiresAt * 1000 <= Date.now()',
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
    name: 'a socket names no other user',
    file: 'src/realtime/connections/handshake.service.ts',
    cut: 'assertOwnUserId(socket);\n      this.join',
    put: 'this.join',
    red: ['test/plain-websocket-handshake'],
  },
  {
    name: 'a socket goes on with a token of the same user',
    file: 'src/realtime/connections/socket-expiry.service.ts',
    cut: "if (principal.userId !== socket.data.principal.userId) throw new AppError('unauthorized');",
    red: ['test/gateway'],
  },
  {
    name: 'a socket of a session that ends is cut',
    file: 'src/realtime/connections/socket-revocation.service.ts',
    cut: 'for (const socket of this.sockets.socketsOf(userId)) this.cutIfRevoked(socket);',
    put: 'void userId;',
    red: ['test/session-revocation'],
  },
  {
    name: 'a socket comes from an origin that may',
    file: 'src/realtime/connections/allowed-origin.ts',
    cut: 'return host !== undefined && (',
    put: 'return host !== undefined || (',
    red: ['test/cors'],
  },
  {
    name: 'one ends their own sessions',
    file: SESSION_ROWS,
    cut: 'WHERE user_id = $1 AND ${condition}',
    put: 'WHERE $1::bigint > 0 AND ${condition}',
  },
  {
    name: 'one sees their own sessions',
    file: SESSION_ROWS,
    cut: '.where(`user_id = :userId AND ${LIVE}`, { userId })',
    put: '.where(`:userId > 0 AND ${LIVE}`, { userId })',
  },
  {
    name: 'a session that has ended is not refreshed',
    file: SESSION_ROWS,
    cut: '.where(`id = :id AND ${LIVE}`, { id })',
    put: '.where(`id = :id`, { id })',
    red: ['test/token-refresh', 'test/sessions'],
  },
  {
    name: 'a refresh token is the one of the session',
    file: 'src/auth/sessions.service.ts',
    cut: 'if (hash.equals(currentHash)) {',
    put: 'if (currentHash.length > 0) {',
    red: ['test/token-refresh'],
  },
  {
    name: 'a change of password asks for the old one',
    file: 'src/auth/auth.service.ts',
    cut: "if (!right) throw wrongPassword('current_password');",
    put: 'void right;',
    red: ['test/passwords', 'test/sessions', 'test/auth'],
  },
  {
    name: 'a change of password ends the other sessions',
    file: 'src/auth/auth.service.ts',
    cut: "await this.sessions.endOthers(principal, 'password');",
    red: ['test/sessions', 'test/session-revocation'],
  },
  {
    name: 'an account is closed with its password',
    file: 'src/auth/auth.service.ts',
    cut: "if (!right) throw wrongPassword('password');",
    put: 'void right;',
    red: ['test/account-closure'],
  },
  {
    name: 'a closed account has no sessions',
    file: 'src/auth/auth.service.ts',
    cut: 'await this.sessions.endAll(userId);',
    red: ['test/account-closure'],
  },
];
