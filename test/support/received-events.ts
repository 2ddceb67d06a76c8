import type { Device } from './device.js';
import type { TestUser } from './test-app.js';

// What devices have received: waiting until nothing is missing, and selecting the events of one chat.

/** Resolves when these devices of the users have received all published events: each has received a later one. */
export async function untilDelivered([one, ...others]: readonly TestUser[], devices: readonly Device[]): Promise<void> {
  const later = await one!.group(...others);
  await Promise.all(devices.map((device) => device.next('chat:created', ({ id }) => id === later.id)));
}

/** The events of one chat that a device has received, in order. */
export function receivedIn({ received: heard }: Device, chat: { id: number }): Device['received'] {
  return heard.filter(({ payload }) => (payload.chat_id ?? payload.id) === chat.id);
}
