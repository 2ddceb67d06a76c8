/** Expects of a document with many references that what each points to is there. */
export function expectReferences(document: object): void {
  const references = [...JSON.stringify(document).matchAll(/"#\/([^"]+)"/g)].map(([, path]) => path!.split('/'));
  expect(references.length).toBeGreaterThan(100);
  for (const path of references) {
    const target = path.reduce<any>((part, name) => part?.[name], document);
    expect([path.join('/'), target]).toEqual([path.join('/'), expect.any(Object)]);
  }
}
