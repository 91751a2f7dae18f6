import type { StatusesQuery } from '../../sdk/index.js';
import type { Person } from './world.js';

/** Makes two people each other's contacts. */
export async function befriend(one: Person, other: Person): Promise<void> {
  await one.api.addContact({ input: { userId: other.id } });
  await other.api.addContact({ input: { userId: one.id } });
}

type Group = NonNullable<StatusesQuery['viewer']>['statuses']['edges'][number]['node'];
export type Shown = Omit<Group, 'statuses'> & { statuses: Group['statuses']['edges'][number]['node'][] };

/** All that others show to somebody, by person. */
export async function feedOf(person: Person, muted = false): Promise<Shown[]> {
  const { edges } = (await person.api.statuses({ muted, first: 20, firstOfEach: 20 })).viewer!.statuses;
  return edges.map(({ node: { statuses, ...group } }) => ({ ...group, statuses: statuses.edges.map(({ node }) => node) }));
}
