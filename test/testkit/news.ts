import { decodeId } from '../../src/lib/ids.js';
import type { World, Person } from './world.js';

/** The same person, signed in anew: days may have passed. */
export async function signedInAgain(world: World, person: Person): Promise<Person> {
  const { signIn } = await world.client().api.signIn({ input: { email: `${person.handle}@example.com`, password: `password of ${person.handle}` } });
  const client = world.client(signIn.accessToken);
  return { ...person, client, api: client.api, accessToken: signIn.accessToken };
}

/** Somebody who runs the place. */
export async function administrator(world: World, name = 'Root'): Promise<Person> {
  const person = await world.person(name);
  await world.sql(`update users set role = 'ADMIN' where id = $1`, [decodeId('User', person.id)]);
  return signedInAgain(world, person);
}

/** Fetches the feeds that are due, as the sweep of a process with JOBS does. */
export async function fetchFeeds(world: World, node = 0): Promise<void> {
  while (await world.apps[node]!.container.jobs.newsFeeds!.sweep());
}

/** Adds a section. */
export async function addSource(world: World, root: Person, feedUrl: string, more: { publisher?: string; section?: string; category?: string; topics?: string[]; language?: string; everySeconds?: number } = {}) {
  const input = { publisher: 'BBC', section: feedUrl.split('/').at(-1)!, feedUrl, idempotencyKey: world.key(), ...more };
  return (await root.api.createNewsSource({ input })).createNewsSource.source;
}

export async function articles(person: Person, variables: Parameters<Person['api']['news']>[0] = {}) {
  return (await person.api.news(variables)).news.edges.map(({ node }) => node);
}
