import 'reflect-metadata';
import { isAbstractType, isIntrospectionType, isObjectType, type GraphQLSchema } from 'graphql';
import { buildSchemaSync, getMetadataStorage, type ContainerType, type NonEmptyArray, type PubSub } from 'type-graphql';
import { DateTime } from '../schema/scalars.js';
import type { Context } from './context.js';
import { callDirectly } from './direct-calls.js';
import { RESOLVERS } from './index.js';

/** type-graphql asks for one as soon as there is a subscription; ours are served by server/realtime. */
const unused = (): never => {
  throw new Error('Events travel by the bus of src/events.');
};
const NO_PUBSUB: PubSub = { publish: unused, subscribe: unused };

/** type-graphql looks in this list for each field and each resolver, which takes most of a build where the list is read from its beginning. */
const resolvers = [...RESOLVERS] as unknown as NonEmptyArray<new (...args: never[]) => object>;
const known = new Set(resolvers);
resolvers.includes = (resolver) => known.has(resolver);

/** Builds the executable schema; `container` hands out the resolver instances. */
export const buildSchema = (container: ContainerType): GraphQLSchema => build(container, { skipCheck: true });

/** For use where the schema is printed and nothing is executed. What is wrong with a schema is found here, so that no start has to look. */
export const buildSchemaForPrinting = (): GraphQLSchema => build({ get: () => ({}) }, { skipCheck: false });

function build(container: ContainerType, { skipCheck }: { skipCheck: boolean }): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers,
    container,
    skipCheck,
    pubSub: NO_PUBSUB,
    validate: false, // services validate: jobs and bots call them too
    scalarsMap: [{ type: Date, scalar: DateTime }],
    nullableByDefault: false,
  });
  dropTrivialResolvers(schema);
  callDirectly(schema, container);
  forgetAfterWrites(schema);
  return schema;
}

/** An operation may hold several mutations, one after the other: none is answered with what was loaded before it. */
function forgetAfterWrites(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()!.getFields())) {
    const write = field.resolve!;
    field.resolve = async (root: unknown, args, context: Context, info) => {
      const result: unknown = await write(root, args, context, info);
      context.forget();
      return result;
    };
  }
}

/** type-graphql wraps even plain property reads in a function; without it the executor reads the property itself. */
function dropTrivialResolvers(schema: GraphQLSchema): void {
  const storage = getMetadataStorage();
  const names = new Map(storage.objectTypes.map((type) => [type.target, type.name]));
  const written = new Map<string, Set<string>>();
  for (const resolver of storage.fieldResolvers) {
    const name = names.get(resolver.getObjectType!());
    if (name) written.set(name, (written.get(name) ?? new Set()).add(resolver.schemaName));
  }
  const roots = new Set([schema.getQueryType(), schema.getMutationType()]);
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type)) continue; // shared by every schema of the process
    // Every object behind an abstract type tells its own name; type-graphql would ask in a promise.
    if (isAbstractType(type)) type.resolveType = (value: { __typename: string }) => value.__typename;
    // A subscription's root field is the event itself: the Subscription type has no resolvers either.
    if (!isObjectType(type) || roots.has(type)) continue;
    type.isTypeOf = undefined;
    for (const field of Object.values(type.getFields())) if (!written.get(type.name)?.has(field.name)) field.resolve = undefined;
  }
}
