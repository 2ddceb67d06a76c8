export const STATES = [
  'closed',
  'connecting',
  'waiting',
  'held off',
  'syncing',
  'synced',
  'missing',
  'retrying',
] as const;
export type State = (typeof STATES)[number];

/** What each event leads to, in the order of the states. */
export const TABLE = {
  accepted: ['never', 'syncing', 'never', 'never', 'never', 'never', 'never', 'never'],
  'not let in': ['never', 'waiting', 'never', 'never', 'never', 'never', 'never', 'never'],
  'rate limited': ['never', 'held off', 'never', 'never', 'never', 'never', 'never', 'never'],
  'token refused': ['never', 'waiting', 'never', 'never', 'never', 'never', 'never', 'never'],
  'session over': ['closed', 'closed', 'closed', 'closed', 'closed', 'closed', 'closed', 'closed'],
  'cut by the server': ['never', 'never', 'never', 'never', 'waiting', 'waiting', 'waiting', 'waiting'],
  lost: ['never', 'waiting', 'never', 'never', 'waiting', 'waiting', 'waiting', 'waiting'],
  'no answer': ['never', 'never', 'never', 'never', 'waiting', 'never', 'never', 'never'],
  'server:draining': ['never', 'never', 'never', 'never', 'syncing', 'synced', 'missing', 'retrying'],
  'auth:expired': ['never', 'never', 'never', 'never', 'syncing', 'synced', 'missing', 'retrying'],
  online: ['closed', 'connecting', 'connecting', 'held off', 'syncing', 'syncing', 'syncing', 'retrying'],
  'page shown': ['closed', 'connecting', 'connecting', 'held off', 'syncing', 'syncing', 'syncing', 'retrying'],
  'clock jump': ['closed', 'connecting', 'connecting', 'held off', 'syncing', 'syncing', 'syncing', 'retrying'],
  gap: ['never', 'never', 'never', 'never', 'syncing', 'missing', 'missing', 'retrying'],
  'late event': ['never', 'never', 'never', 'never', 'syncing', 'synced', 'missing', 'retrying'],
  answered: ['never', 'never', 'never', 'never', 'synced', 'never', 'never', 'never'],
  'answered in part': ['never', 'never', 'never', 'never', 'syncing', 'never', 'never', 'never'],
  'answered with a reset': ['never', 'never', 'never', 'never', 'synced', 'never', 'never', 'never'],
  'sync refused': ['never', 'never', 'never', 'never', 'retrying', 'never', 'never', 'never'],
  'chat removed': ['never', 'never', 'never', 'never', 'syncing', 'synced', 'missing', 'retrying'],
  'pause over': ['never', 'never', 'connecting', 'connecting', 'never', 'never', 'syncing', 'syncing'],
  logout: ['closed', 'closed', 'closed', 'closed', 'closed', 'closed', 'closed', 'closed'],
  close: ['closed', 'closed', 'closed', 'closed', 'closed', 'closed', 'closed', 'closed'],
} satisfies Record<string, readonly (State | 'never')[]>;
export type EventName = keyof typeof TABLE;
