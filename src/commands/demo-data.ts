/** The demo people, chats and messages of `npm run seed`. They are computed, so every run has the same. */

/** The password of every demo person. */
export const PASSWORD = 'correct horse';

const NAMES = ['Ada Lovelace', 'Grace Hopper', 'Alan Turing', 'Barbara Liskov', 'Donald Knuth', 'Edsger Dijkstra'];
const MORE_NAMES = [
  'Frances Allen',
  'Ken Thompson',
  'Margaret Hamilton',
  'Радия Перлман',
  'Tim Berners-Lee',
  'Лев Королёв',
];

/** The demo people. */
export const PEOPLE = [...NAMES, ...MORE_NAMES].map((name, index) => ({
  name,
  email: index < NAMES.length ? `${name.split(' ')[0]!.toLowerCase()}@example.com` : `demo${index + 1}@example.com`,
}));

/** A chat to make, with this many messages. */
export interface Conversation {
  /** A group's name; undefined for a private chat. */
  readonly group: string | undefined;
  /** Emails; the first person makes the chat. */
  readonly members: readonly string[];
  /** How many messages. */
  readonly lines: number;
}

const emails = PEOPLE.map(({ email }) => email);
const PAIRS = emails.flatMap((one, index) => emails.slice(index + 1).map((other) => [one, other]));

/** The demo chats: three groups and 24 private chats. */
export const CONVERSATIONS: readonly Conversation[] = [
  { group: 'Everybody', members: emails, lines: 600 },
  { group: 'Analytical engines', members: emails.slice(0, 4), lines: 500 },
  { group: 'Ужин в пятницу', members: emails.slice(2, 9), lines: 400 },
  ...PAIRS.slice(0, 24).map((members) => ({ group: undefined, members, lines: 50 })),
];

const OPENINGS = [
  'Have you seen',
  'I was thinking about',
  'Who wrote',
  'Remind me of',
  'Привет! Как там',
  'I disagree with',
];
const TOPICS = [
  'the compiler',
  'the proof',
  'the last release',
  'the note on loops',
  'the spanning tree',
  'ужин',
  'the moon code',
];
const ENDINGS = ['?', ', again.', ' — it works now 🎉', '. Tomorrow then?', ', please.', '!'];

const pick = <T>(list: readonly T[], index: number): T => list[index % list.length]!;

/** The messages of a conversation; `author` is an index into its members. */
export function linesOf({ members, lines }: Conversation): { author: number; text: string }[] {
  return Array.from({ length: lines }, (_, index) => ({
    author: (index * 7 + Math.floor(index / 3)) % members.length,
    text: `${pick(OPENINGS, index * 5)} ${pick(TOPICS, index * 3 + 1)}${pick(ENDINGS, index)}`,
  }));
}
