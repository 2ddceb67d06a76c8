import * as fake from 'fake-indexeddb';

const NAMES = Object.keys(fake).filter((name) => name.startsWith('IDB')) as (keyof typeof fake)[];

/** Gives this process an IndexedDB of its own. Returns the way to take it away again. */
export function installIndexedDb(): () => void {
  const globals = globalThis as Record<string, unknown>;
  for (const name of NAMES) globals[name] = fake[name];
  globals.indexedDB = new fake.IDBFactory();
  return () => {
    for (const name of [...NAMES, 'indexedDB']) Reflect.deleteProperty(globals, name);
  };
}
