/** People, their accounts and sessions. Types only. Times are RFC 3339 UTC with milliseconds. */

/** A person, as everybody sees them. */
export interface User {
  id: number;
  name: string;
  created_at: string;
}

/** Who may add somebody to groups: everybody, or the people to whom that person has written in a private chat. */
export type AddableBy = 'everybody' | 'correspondents';

/** The caller's own account. */
export interface Account extends User {
  email: string;
  addable_by: AddableBy;
}

/** What a login and a refresh return. */
export interface Tokens {
  access_token: string;
  token_type: 'bearer';
  /** The life of the access token in seconds. */
  expires_in: number;
  /** An opaque text. Each refresh returns the next one. */
  refresh_token: string;
}

/** What a refresh sends. */
export interface Refresh {
  refresh_token: string;
  /** Made by the client for this refresh token, and kept before it is sent: the same two get the same next one. */
  client_refresh_id?: string;
}

/** A session: one login on one device. */
export interface Session {
  id: string;
  /** The first 200 characters of the header User-Agent; null when there was none. */
  user_agent: string | null;
  address: string;
  created_at: string;
  last_used_at: string;
  /** Whether it is the session of the request. */
  current: boolean;
}
