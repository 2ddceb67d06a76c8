import { type BenchContext, BenchTarget } from '../targets/bench-target.js';
import { Figure, median } from '../report/figures.js';
import {
  COMMON_CHATS,
  DEEP,
  HistoryDataset,
  type ListOwner,
  LONG_LISTS,
  POPULAR,
  type ReaderChat,
  SHALLOW,
  SHORT_LIST,
} from '../targets/history-dataset.js';
import type { Measured } from '../load/load-figures.js';
import { type Answer, RestClient } from '../load/rest-client.js';
import { RunProblem } from '../load/send-run.js';
import { tokenOf } from '../targets/dataset.js';

// Reads in a very long chat, and in very long lists of chats, compared with the same reads in short ones.

const REQUESTS = 100;
const WARM_UP_REQUESTS = 50;
const PAGE = 50;
/** How many messages a disconnected client has missed. */
const MISSED = 50;

type Ask = (client: RestClient) => Promise<Answer>;
interface Chat {
  readonly id: number;
  readonly messages: readonly { readonly seq: number }[];
}

/** A request that is measured at a deep place and at a shallow one: of a chat, or of a list of chats. */
interface Case<Place> {
  readonly title: string;
  readonly ask: (place: Place) => Ask;
  readonly isRight: (body: never, place: Place) => boolean;
}

/** Whether these are `count` consecutive messages from the seq `first` on. */
const isRun = (messages: Chat['messages'], first: number, count: number): boolean =>
  messages.length === count && messages.every(({ seq }, index) => seq === first + index);

/** A page of the history. `query` and `first` compute the query and the first seq from the length of the chat. */
function page(title: string, query: (length: number) => string, first: (length: number) => number): Case<ReaderChat> {
  return {
    title,
    ask({ chatId, messages }) {
      const path = `/messages/history/${chatId}?limit=${PAGE}&${query(messages)}`;
      return (client) => client.get(path);
    },
    isRight: (body: Chat['messages'], { messages }) => isRun(body, first(messages), PAGE),
  };
}

const PAGES = [
  page(
    'First page of the history',
    () => 'offset=0',
    () => 1,
  ),
  page(
    'Last page of the history, by offset',
    (length) => `offset=${length - PAGE}`,
    (length) => length - PAGE + 1,
  ),
  page(
    'Page around the middle',
    (length) => `around_seq=${length / 2}`,
    (length) => (length - PAGE) / 2,
  ),
];

const CHAT_LIST: Case<ReaderChat> = {
  title: `List of ${COMMON_CHATS + 1} chats`,
  ask: () => (client) => client.get(`/chats?limit=${COMMON_CHATS + 1}`),
  isRight: (body: readonly Chat[], { chatId }) => body.length === COMMON_CHATS + 1 && body[0]!.id === chatId,
};

const firstOfList = (chats: number): Case<ListOwner> => ({
  title: `First page of the list of ${chats} chats`,
  ask: () => (client) => client.get(`/chats?limit=${PAGE}`),
  isRight: (body: readonly Chat[], { chatId }) => body.length === PAGE && body[0]!.id === chatId,
});

/** A sync of a client that lacks the last messages of one chat. */
const catchUp = (dataset: HistoryDataset): Case<ReaderChat> => ({
  title: `Sync of ${MISSED} missed messages, ${COMMON_CHATS + 1} chats`,
  ask({ userId, chatId }) {
    const body = JSON.stringify({ cursors: dataset.cursorsOf(userId, chatId, MISSED) });
    return (client) => client.post('/sync', body);
  },
  isRight: ({ chats }: { chats: readonly Chat[] }, { messages }) =>
    chats.length === 1 && isRun(chats[0]!.messages, messages - MISSED + 1, MISSED),
});

/**
 * Measures reads in a chat of a million messages and in one of a thousand, among `total` messages, and in long lists of
 * chats and in a short one.
 */
export async function history(bench: BenchContext, rounds: number, total: number): Promise<Measured> {
  const target = await BenchTarget.start('ours', { users: 0, chats: [] }, bench);
  const dataset = new HistoryDataset(total);
  await dataset.fill(target.databaseUrl);
  const clientOf = (userId: number): RestClient => new RestClient(target.server.port, tokenOf(userId));
  const figures: Figure[] = [];
  for (const aCase of [...PAGES, CHAT_LIST, catchUp(dataset)]) {
    figures.push(await compare(aCase, DEEP, SHALLOW, clientOf, rounds));
  }
  for (const long of LONG_LISTS) {
    figures.push(await compare(firstOfList(long.chats), long, SHORT_LIST, clientOf, rounds));
  }
  figures.push(await nothingNew(clientOf(POPULAR.userId), dataset, rounds));
  await target.stop();
  return { figures, loads: [] };
}

/** Sends requests in turns to the deep place and to the shallow one, so that both meet the same conditions. */
async function compare<Place extends { readonly userId: number }>(
  { title, ask, isRight }: Case<Place>,
  deep: Place,
  shallow: Place,
  clientOf: (userId: number) => RestClient,
  rounds: number,
): Promise<Figure> {
  const figure = new Figure(title, 'ms', [{ over: 'shallow', atMost: 1.5 }], 'deep');
  const sides = [deep, shallow].map((place) => {
    return { place, request: ask(place), client: clientOf(place.userId), times: [] as number[] };
  });
  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < (round < 0 ? WARM_UP_REQUESTS : REQUESTS); i++) {
      for (const { place, request, client, times } of i % 2 === 0 ? sides : sides.toReversed()) {
        const { status, body, ms } = await request(client);
        if (status !== 200 || !isRight(body as never, place)) throw wrongAnswer(title, status);
        times.push(ms);
      }
    }
    for (const { place, times } of sides) {
      if (round >= 0) figure.add(round, place === deep ? 'deep' : 'shallow', median(times)!);
      times.length = 0;
    }
  }
  for (const { client } of sides) client.close();
  return figure;
}

/** Measures the sync of a client with a thousand chats that has missed nothing. */
async function nothingNew(client: RestClient, dataset: HistoryDataset, rounds: number): Promise<Figure> {
  const title = `Sync without news, ${POPULAR.chats} chats`;
  const figure = new Figure(title, 'ms', [], 'deep');
  const request = JSON.stringify({ cursors: dataset.cursorsOf(POPULAR.userId) });
  for (let round = -1; round < rounds; round++) {
    const times: number[] = [];
    for (let i = 0; i < WARM_UP_REQUESTS; i++) {
      const { status, body, ms } = await client.post('/sync', request);
      if (status !== 200 || (body as { chats: readonly Chat[] }).chats.length > 0) throw wrongAnswer(title, status);
      times.push(ms);
    }
    if (round >= 0) figure.add(round, 'deep', median(times)!);
  }
  client.close();
  return figure;
}

const wrongAnswer = (title: string, status: number): RunProblem =>
  new RunProblem([`${title}: the answer (status ${status}) isn't what it should be`]);
