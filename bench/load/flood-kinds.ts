// The floods of `npm run bench -- --only floods`, and what a flood reports.

export const FLOOD_KINDS = ['connect-ws', 'connect-polling', 'unknown-events', 'pongs', 'join-leave', 'idle'] as const;
export type FloodKind = (typeof FLOOD_KINDS)[number];

/** What is sent again and again, and how many times a second. */
interface Flood {
  readonly title: string;
  readonly rate: number;
}

export const FLOODS: Readonly<Record<FloodKind, Flood>> = {
  'connect-ws': { title: 'CONNECT packets by WebSocket', rate: 5_000 },
  'connect-polling': { title: 'Bodies of 20,000 CONNECT packets', rate: 50 },
  'unknown-events': { title: 'Unknown events', rate: 20_000 },
  pongs: { title: 'Pongs', rate: 20_000 },
  'join-leave': { title: 'Join and leave', rate: 200 },
  idle: { title: 'Idle handshakes', rate: 200 },
};

/** What a flood has done each second. */
export interface FloodReport {
  /** What the flood sends again and again, as far as it had an open connection to send it on. */
  readonly sent: number;
  /** The connections that it has tried to open. */
  readonly handshakes: number;
}
