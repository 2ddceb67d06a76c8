import { useMemo, useState, useSyncExternalStore } from 'react';
import type { ChatState } from './chat-state.js';
import type { Client, ClientStatus } from './client.js';
import type { ChatMessage } from './message-map.js';
import type { Observable } from './observable.js';
import type { MessageWindow, WindowState } from './window.js';

/** The value of an observable; the component is rendered again when it changes. */
export const useObservable = <T>(observable: Observable<T>): T =>
  useSyncExternalStore(observable.subscribe, observable.get, observable.get);

/** The chats, the one with the latest message first. */
export const useChats = (client: Client): readonly ChatState[] => useObservable(client.chats.list);

/** A chat; undefined while the person isn't in it. */
export const useChat = (client: Client, chatId: number): ChatState | undefined =>
  useObservable(client.chat(chatId).state);

/** How the client is. */
export const useStatus = (client: Client): ClientStatus => useObservable(client.status);

/** A message by its key. */
export const useMessage = (client: Client, chatId: number, key: string): ChatMessage | undefined =>
  useObservable(useMemo(() => client.chat(chatId).message(key), [client, chatId, key]));

/** A window on the newest messages of a chat, or on those around the `seq` `around`; and its state. */
export function useMessages(client: Client, chatId: number, around?: number): [WindowState, MessageWindow] {
  const open = (): MessageWindow => client.chat(chatId).messages(around === undefined ? {} : { around });
  const of = `${chatId}/${around}`;
  const [held, setHeld] = useState(() => ({ client, of, shown: open() }));
  const isHeld = held.client === client && held.of === of;
  const shown = isHeld ? held.shown : open();
  if (!isHeld) setHeld({ client, of, shown });
  return [useObservable(shown.state), shown];
}
