import { effect, type ReadonlySignal, untracked } from '@preact/signals-core';

/** A value that changes, and says so. */
export interface Observable<T> {
  /** The value now: the same object until it changes. */
  readonly get: () => T;
  /** Calls the listener with the new value after each change, and not before. Returns the way to end that. */
  readonly subscribe: (listener: (value: T) => void) => () => void;
}

/** A signal as callers see it. An error of a listener is reported as one that nobody has caught, and harms nobody else. */
export function observe<T>(source: ReadonlySignal<T>): Observable<T> {
  return {
    get: () => source.value,
    subscribe(listener) {
      let isFirst = true;
      return effect(() => {
        const value = source.value;
        if (isFirst) isFirst = false;
        else untracked(() => guard(() => listener(value)));
      });
    },
  };
}

function guard(work: () => void): void {
  try {
    work();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Makes what is computed here depend on the signal. */
export const track = (source: ReadonlySignal<unknown>): unknown => source.value;
