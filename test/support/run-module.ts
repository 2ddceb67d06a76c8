/** Runs a text as a module of its own: what it has under `name`, given what it takes from outside. */
export async function runModule<T>(code: string, name: string, given: Record<string, unknown>): Promise<T> {
  const text = `export default ({ ${Object.keys(given).join(', ')} }) => { ${code}\nreturn ${name}; }`;
  const { default: start } = (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as {
    default: (given: Record<string, unknown>) => T;
  };
  return start(given);
}
