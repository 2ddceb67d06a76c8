import { Logger } from '@nestjs/common';
import { DomainEventBus } from './domain-event.bus.js';

class Happened {}

describe('DomainEventBus.publish', () => {
  let events: DomainEventBus;
  let logged: ReturnType<typeof jest.spyOn>;
  beforeEach(() => {
    events = new DomainEventBus();
    logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
  });
  afterEach(() => logged.mockRestore());

  it('calls all handlers before it returns, and resolves when all are done', async () => {
    const called: string[] = [];
    events.on(Happened, async () => {
      await new Promise(setImmediate);
      called.push('later');
    });
    events.on(Happened, () => void called.push('at once'));
    const done = events.publish(new Happened());
    expect(called).toEqual(['at once']);
    await done;
    expect(called).toEqual(['at once', 'later']);
    expect(logged).not.toHaveBeenCalled();
  });

  it('calls every handler, also after one that throws, rejects or returns a value', async () => {
    const called: string[] = [];
    events.on(Happened, () => {
      throw new Error('at once');
    });
    events.on(Happened, () => Promise.reject(new Error('later')));
    events.on(Happened, (() => ({ some: 'thing' })) as never);
    events.on(Happened, () => void called.push('the last'));
    await events.publish(new Happened());
    expect(called).toEqual(['the last']);
    expect(logged).toHaveBeenCalledTimes(2);
  });
});
