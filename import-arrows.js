/**
 * Who may import whom. What isn't listed is refused by ESLint (eslint.config.js), and test/import-arrows.spec.ts finds
 * what is listed and not used.
 */

/** Between the features of `src/`. Only `api-docs` imports `realtime`. */
export const FEATURES = {
  'api-docs': ['chats', 'messages', 'realtime'],
  accounts: ['auth', 'chats', 'groups', 'messages', 'users'],
  auth: ['users'],
  users: [],
  chats: ['users'],
  groups: ['chats'],
  messages: ['chats'],
  realtime: ['auth', 'chats', 'messages'],
  health: [],
  metrics: ['messages'],
};

/** Between the rooms of `src/realtime/`. All of them may import the files beside them, but for the gateway and the module. */
export const REALTIME_ROOMS = {
  commands: ['delivery'],
  connections: ['commands', 'delivery'],
  delivery: [],
  plain: ['commands', 'connections'],
};

/** Between the rooms of `src/common/`. */
export const COMMON_ROOMS = {
  errors: [],
  validation: ['errors'],
  http: ['errors', 'validation'],
};

/** Folders of `src/` that serve all features, and so import none. */
export const FOUNDATIONS = ['common', 'config', 'contract', 'database', 'limits', 'logging', 'redis'];
