import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DomainEventBus } from './domain-event.bus.js';

class Happened {}

describe('domain events', () => {
  let events: DomainEventBus;
  let logged: ReturnType<typeof jest.spyOn>;
  beforeEach(() => {
    events = new DomainEventBus();
    logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
  });
  afterEach(() => logged.mockRestore());

  it('are published when all handlers are done', async () => {
    const heard: string[] = [];
    events.on(Happened, async () => {
      await new Promise(setImmediate);
      heard.push('later');
    });
    events.on(Happened, () => void heard.push('at once'));
    const done = events.publish(new Happened());
    expect(heard).toEqual(['at once']);
    await done;
    expect(heard).toEqual(['at once', 'later']);
    expect(logged).not.toHaveBeenCalled();
  });

  it('reach all handlers, whichever of them fails or returns something', async () => {
    const heard: string[] = [];
    events.on(Happened, () => {
      throw new Error('at once');
    });
    events.on(Happened, () => Promise.reject(new Error('later')));
    events.on(Happened, (() => ({ some: 'thing' })) as never);
    events.on(Happened, () => void heard.push('the last'));
    await events.publish(new Happened());
    expect(heard).toEqual(['the last']);
    expect(logged).toHaveBeenCalledTimes(2);
  });
});
