/** Runs a text as an ES module. `given` are the variables it may use; returns its variable `name`. */
export async function runModule<T>(code: string, name: string, given: Record<string, unknown>): Promise<T> {
  const text = `export default ({ ${Object.keys(given).join(', ')} }) => { ${code}\nreturn ${name}; }`;
  const { default: start } = (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as {
    default: (given: Record<string, unknown>) => T;
  };
  return start(given);
}
