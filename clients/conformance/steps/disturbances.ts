import { setTimeout as pause } from 'node:timers/promises';
import type { NetworkStep, ServerStep } from '../scenario.js';
import type { Handlers } from '../stage.js';

/** The codes after which the same command may come again. */
const RETRYABLE: ReadonlySet<string> = new Set(['rate_limited', 'overloaded', 'unavailable']);

/** What the network, the server and the time do. */
export const disturbances: Handlers<NetworkStep | ServerStep> = {
  offline: ({ proxy }) => proxy.offline(),
  online: ({ proxy }) => proxy.online(),
  cut: ({ proxy }) => proxy.cut(),
  cut_before_commit: ({ proxy }, { do: kind, times = 1, ...at }) => proxy.add({ kind, times, ...at }),
  cut_after_commit: ({ proxy }, { do: kind, ...at }) => proxy.add({ kind, times: 1, ...at }),
  lose_answer: ({ proxy }, { do: kind, ...at }) => proxy.add({ kind, times: 1, ...at }),
  delay_answer: ({ proxy }, { do: kind, ...at }) => proxy.add({ kind, times: 1, ...at }),
  refuse({ proxy }, { command, code, retry_after_ms, times = 1 }) {
    const error = { code, message: 'By the suite.', retryable: RETRYABLE.has(code), retry_after_ms };
    proxy.add({ kind: 'refuse', command, times, error });
  },
  lose_event: ({ proxy }, { do: kind, event, times = 1 }) => proxy.add({ kind, event, times }),
  repeat_event: ({ proxy }, { do: kind, event }) => proxy.add({ kind, event, times: 1 }),
  delay_event: ({ proxy }, { do: kind, event }) => proxy.add({ kind, event, times: 1 }),
  lose_refresh_answer: ({ proxy }, { do: kind }) => proxy.add({ kind, times: 1 }),
  stop_server(stage) {
    stage.stopping = stage.server.stop();
  },
  async start_server(stage) {
    await stage.stopping;
    stage.stopping = undefined;
    await stage.server.restart();
  },
  async expire_token({ proxy }) {
    await pause(Math.max(0, proxy.tokenEndsAt - Date.now()));
  },
};
