/** Why a session ended before its time. */
export type EndReason = 'logout' | 'removed' | 'password' | 'too_many' | 'token_reused' | 'closed';

/** Sessions that have ended before their time. */
export class SessionsRevoked {
  constructor(
    readonly sessions: readonly { readonly id: string; readonly userId: number }[],
    /** Why this node has ended them; `elsewhere` when another node has, or when it was before the start. */
    readonly reason: EndReason | 'elsewhere',
  ) {}
}
