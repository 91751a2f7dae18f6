import { isIntrospectionType, isObjectType, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import { getMetadataStorage, type ContainerType } from 'type-graphql';

type FieldResolver = GraphQLFieldResolver<unknown, unknown, Record<string, unknown>>;
type ReadParam = (root: unknown, args: Record<string, unknown>, context: unknown, info: unknown) => unknown;
type Method = (...params: unknown[]) => unknown;
type Handler = ReturnType<typeof getMetadataStorage>['queries'][number];

/**
 * Has fields call their resolver's method at once. type-graphql looks up the instance, sorts and converts the parameters and
 * walks the list of middlewares for every single field of an answer; here nothing is converted (inputs are plain objects, as
 * GraphQL has coerced them, and parents are rows), there are no middlewares, and instances live as long as the schema.
 */
export function callDirectly(schema: GraphQLSchema, container: ContainerType): void {
  const storage = getMetadataStorage();
  const handlers = new Map<string, Handler>();
  const note = (type: string, handler: Handler) => {
    const field = `${type}.${handler.schemaName}`;
    const known = handlers.get(field);
    // A class that others extend is noted too: its methods are called on the instance of the one that was made.
    if (!known || handler.target.prototype instanceof known.target) handlers.set(field, handler);
  };
  for (const handler of storage.queries) note('Query', handler);
  for (const handler of storage.mutations) note('Mutation', handler);
  for (const handler of storage.fieldResolvers) {
    if (handler.kind !== 'external') continue;
    const target = handler.getObjectType?.();
    const type = storage.objectTypes.find((candidate) => candidate.target === target)?.name;
    if (type) note(type, handler as unknown as Handler);
  }
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || isIntrospectionType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const handler = handlers.get(`${type.name}.${field.name}`);
      if (field.resolve && handler && !handler.middlewares?.length && !handler.roles) field.resolve = resolverOf(handler, container) ?? field.resolve;
    }
  }
}

/** Null where a parameter is of a kind that only type-graphql can read, or there is no instance to call. */
function resolverOf({ target, methodName, params = [] }: Handler, container: ContainerType): FieldResolver | null {
  const readers: ReadParam[] = [];
  for (const param of params) {
    const read = readerOf(param);
    if (!read) return null;
    readers[param.index] = read;
  }
  const instance = container.get(target, { root: undefined, args: {}, context: {}, info: {} as never }) as Record<string, Method> | undefined;
  if (!instance) return null;
  const [first, second, third] = readers;
  if (!first) return () => instance[methodName]!();
  if (!second) return (root, args, context, info) => instance[methodName]!(first(root, args, context, info));
  if (!third) return (root, args, context, info) => instance[methodName]!(first(root, args, context, info), second(root, args, context, info));
  return (root, args, context, info) => instance[methodName]!(...readers.map((read) => read(root, args, context, info)));
}

function readerOf(param: NonNullable<Handler['params']>[number]): ReadParam | null {
  switch (param.kind) {
    case 'root':
      return param.propertyName ? (root) => (root as Record<string, unknown>)[param.propertyName!] : (root) => root;
    case 'context':
      return param.propertyName ? null : (_root, _args, context) => context;
    case 'info':
      return (_root, _args, _context, info) => info;
    case 'args':
      return (_root, args) => args;
    case 'arg':
      return (_root, args) => args[param.name];
    default:
      return null;
  }
}
