import type { Device } from './device.js';
import type { TestUser } from './test-app.js';

/** Resolves when the devices, all of these people's, have heard what was emitted so far: a later event has come through on each. */
export async function caughtUp([one, ...others]: readonly TestUser[], devices: readonly Device[]): Promise<void> {
  const later = await one!.group(...others);
  await Promise.all(devices.map((device) => device.next('chat:created', ({ id }) => id === later.id)));
}

/** What a device has heard of one chat, in order. */
export function heardOf({ heard }: Device, chat: { id: number }): Device['heard'] {
  return heard.filter(({ payload }) => (payload.chat_id ?? payload.id) === chat.id);
}
