import 'reflect-metadata';
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { getMetadataStorage } from 'type-graphql';
import { RESOLVERS } from './index.js';

describe('the list of resolvers', () => {
  it('has every resolver class of the folder, each once', async () => {
    for (const file of readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })) {
      if (file.endsWith('.ts') && !file.endsWith('.spec.ts')) await import(`./${file.replace(/\.ts$/, '.js')}`);
    }
    const listed = new Set<unknown>(RESOLVERS);
    assert.equal(listed.size, RESOLVERS.length);
    const { resolverClasses } = getMetadataStorage() as unknown as { resolverClasses: { target: new () => object }[] };
    assert.ok(resolverClasses.length > 150);
    /** What others are made of is listed with them. */
    const isBase = (target: new () => object) => RESOLVERS.some((one) => one.prototype instanceof target);
    assert.deepEqual(resolverClasses.filter(({ target }) => !listed.has(target) && !isBase(target)).map(({ target }) => target.name), []);
  });
});
