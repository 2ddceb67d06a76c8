// In place of socket.io-client, so that the client alone is measured: a socket that receives what it is given.

/** The socket that was made last. */
export let socket;

export function io() {
  socket = new LocalSocket();
  return socket;
}

/** The answer to a sync when there is nothing new. */
export const NO_NEWS = { chats: [], removed_chat_ids: [], next_chat_id: null };

class LocalSocket {
  connected = false;
  io = { engine: undefined };
  any = [];
  listeners = new Map();

  on(name, listener) {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
    return this;
  }

  onAny(listener) {
    this.any.push(listener);
    return this;
  }

  off() {
    this.listeners.clear();
    return this;
  }

  offAny() {
    this.any = [];
    return this;
  }

  connect() {
    this.connected = true;
    globalThis.queueMicrotask(() => this.call('connect'));
    return this;
  }

  disconnect() {
    this.connected = false;
    return this;
  }

  emit(name, payload, answer) {
    globalThis.queueMicrotask(() => answer({ ok: true, data: name === 'sync' ? NO_NEWS : {} }));
    return this;
  }

  /** An event, as Socket.IO hands it out. */
  receive(name, payload) {
    for (const listener of this.any) listener(name, payload);
    this.call(name, payload);
  }

  call(name, payload) {
    for (const listener of this.listeners.get(name) ?? []) listener(payload);
  }
}
