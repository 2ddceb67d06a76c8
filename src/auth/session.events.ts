/** Why a session ended before its time. */
export type EndReason = 'logout' | 'removed' | 'password' | 'too_many' | 'token_reused' | 'closed';

/**
 * Sessions that have ended before their time. `SessionsService` publishes it after the commit, and the node that learns
 * of another node's revocation publishes it again. `RevokedSessionsRegistry` then refuses their tokens, and
 * `SocketRevocationService` cuts their sockets.
 */
export class SessionsRevoked {
  constructor(
    readonly sessions: readonly { readonly id: string; readonly userId: number }[],
    /** Why this node ended them; `elsewhere` when another node did, or when it happened before this node started. */
    readonly reason: EndReason | 'elsewhere',
  ) {}
}
