import type { Changes, NewEntry, OutboxEntry, SessionStore, Storage } from '../../src/index.js';

/** A call of the client, and when the page halts: before it, when it has begun, or when it is done. */
interface Moment {
  readonly call: 'session.save' | 'database.add' | 'database.write' | 'fetch' | 'socket.send';
  readonly phase: 'before' | 'while' | 'after';
  /** Whether it is this call, by its first argument. */
  readonly fits: (argument: any) => boolean;
}

const isOf =
  (kind: string) =>
  (entry: NewEntry): boolean =>
    entry.kind === kind;
const isCommand =
  (name: string) =>
  (frame: string): boolean =>
    frame.includes(`"${name}"`);
const removesEntry = ({ removed }: Changes): boolean => removed.length > 0;
const storesChat = ({ chats }: Changes): boolean => chats.length > 0;
const isRefresh = (url: string): boolean => url.endsWith('/auth/refresh');
const beginsRefresh = (session?: { client_refresh_id?: string }): boolean => session?.client_refresh_id !== undefined;
const endsRefresh = (session?: { client_refresh_id?: string }): boolean => session?.client_refresh_id === undefined;

/** The moments at which a tab can be killed. */
export const MOMENTS = {
  'before the message is stored': { call: 'database.add', phase: 'before', fits: isOf('send') },
  'while the message is stored': { call: 'database.add', phase: 'while', fits: isOf('send') },
  'when the message is stored': { call: 'database.add', phase: 'after', fits: isOf('send') },
  'before the message is sent': { call: 'socket.send', phase: 'before', fits: isCommand('message:send') },
  'when the message is sent': { call: 'socket.send', phase: 'after', fits: isCommand('message:send') },
  'before the ack is stored': { call: 'database.write', phase: 'before', fits: removesEntry },
  'while the ack is stored': { call: 'database.write', phase: 'while', fits: removesEntry },
  'when the ack is stored': { call: 'database.write', phase: 'after', fits: removesEntry },
  'before the edit is stored': { call: 'database.add', phase: 'before', fits: isOf('edit') },
  'when the edit is stored': { call: 'database.add', phase: 'after', fits: isOf('edit') },
  'when the edit is sent': { call: 'socket.send', phase: 'after', fits: isCommand('message:edit') },
  'before what came is stored': { call: 'database.write', phase: 'before', fits: storesChat },
  'while what came is stored': { call: 'database.write', phase: 'while', fits: storesChat },
  'when what came is stored': { call: 'database.write', phase: 'after', fits: storesChat },
  'when the sync is asked for': { call: 'socket.send', phase: 'after', fits: isCommand('sync') },
  'before the id of the refresh is stored': { call: 'session.save', phase: 'before', fits: beginsRefresh },
  'when the id of the refresh is stored': { call: 'session.save', phase: 'after', fits: beginsRefresh },
  'when the refresh is asked for': { call: 'fetch', phase: 'while', fits: isRefresh },
  'when the refresh is answered': { call: 'fetch', phase: 'after', fits: isRefresh },
  'while the tokens are stored': { call: 'session.save', phase: 'while', fits: endsRefresh },
  'when the tokens are stored': { call: 'session.save', phase: 'after', fits: endsRefresh },
} satisfies Record<string, Moment>;

export type MomentName = keyof typeof MOMENTS;

/** Halts the page in the middle of what it does: a request that is never answered. Nothing more of it runs. */
function halt(): void {
  const request = new XMLHttpRequest();
  request.open('POST', '/halt', false);
  request.send();
}

/** Halts the page at one moment. */
export class Halts {
  private readonly moment: Moment | undefined;

  constructor(name: MomentName | undefined) {
    this.moment = name && MOMENTS[name];
    const around = this.around.bind(this);
    const sockets = WebSocket.prototype as { send: (this: WebSocket, frame: never) => void };
    const { send } = sockets;
    sockets.send = function (frame) {
      around('socket.send', frame, () => send.call(this, frame));
    };
  }

  readonly fetch = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> =>
    this.around('fetch', input, () => fetch(input, init));

  /** The storage, with its moments. */
  in(storage: Storage): Storage {
    const session: SessionStore = {
      load: () => storage.session.load(),
      save: (one) => this.around('session.save', one, () => storage.session.save(one)),
    };
    return {
      isPersistent: storage.isPersistent,
      session,
      open: async (userId) => {
        const database = await storage.open(userId);
        return {
          load: () => database.load(),
          outbox: () => database.outbox(),
          add: (entry, replaced): Promise<OutboxEntry> =>
            this.around('database.add', entry, () => database.add(entry, replaced)),
          write: (changes) => this.around('database.write', changes, () => database.write(changes)),
          dropCache: () => database.dropCache(),
          close: () => database.close(),
          destroy: () => database.destroy(),
        };
      },
    };
  }

  private around<T>(call: Moment['call'], argument: unknown, work: () => T): T {
    const phase = this.moment?.call === call && this.moment.fits(argument) ? this.moment.phase : undefined;
    if (phase === 'before') halt();
    const result = work();
    if (phase === 'while') halt();
    if (phase !== 'after') return result;
    if (result instanceof Promise) return result.finally(halt) as T;
    halt();
    return result;
  }
}
