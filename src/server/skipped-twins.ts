import { doTypesOverlap, Kind, TypeInfo, visit, visitWithTypeInfo, type ASTVisitor, type DocumentNode, type GraphQLCompositeType, type GraphQLSchema } from 'graphql';

interface Place {
  parent: GraphQLCompositeType;
  conditional: boolean;
}

/**
 * Whether a field stands twice where its selections are merged, and once of these under @skip or @include. What graphql-jit makes of
 * such a document shows the field where it stands first, though it is skipped there; by the specification (CollectFields) it stands
 * where it is first found included.
 */
export function hasSkippedTwins(schema: GraphQLSchema, document: DocumentNode): boolean {
  const places = new Map<string, Place[]>();
  const types = new TypeInfo(schema);
  const fragments = conditionalFragments(document);
  const spread = new Set<string>();
  let depth = 0;
  let twins = false;
  const visitor: ASTVisitor = {
    enter(node) {
      if (isConditional(node, fragments)) depth++;
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        // All of its fields stand twice.
        twins ||= spread.has(node.name.value) && fragments.has(node.name.value);
        spread.add(node.name.value);
      }
      if (node.kind !== Kind.FIELD) return;
      const parent = types.getParentType();
      if (!parent) return;
      const key = (node.alias ?? node.name).value;
      const place = { parent, conditional: depth > 0 };
      const others = places.get(key);
      if (!others) places.set(key, [place]);
      else {
        twins ||= others.some((other) => (other.conditional || place.conditional) && doTypesOverlap(schema, other.parent, parent));
        others.push(place);
      }
    },
    leave(node) {
      if (isConditional(node, fragments)) depth--;
    },
  };
  visit(document, visitWithTypeInfo(types, visitor));
  return twins;
}

const hasDirectives = (node: { kind: string; directives?: readonly unknown[] | undefined }): boolean => (node.kind === Kind.FIELD || node.kind === Kind.INLINE_FRAGMENT || node.kind === Kind.FRAGMENT_SPREAD) && !!node.directives?.length;

function isConditional(node: { kind: string; directives?: readonly unknown[] | undefined; name?: unknown }, fragments: ReadonlySet<string>): boolean {
  return hasDirectives(node) || (node.kind === Kind.FRAGMENT_DEFINITION && fragments.has((node as { name: { value: string } }).name.value));
}

/** Fragments that are spread, somewhere, under a condition. */
function conditionalFragments(document: DocumentNode): ReadonlySet<string> {
  const found = new Set<string>();
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    let depth = 0;
    visit(document, {
      enter(node) {
        if (isConditional(node, found)) depth++;
        if (node.kind === Kind.FRAGMENT_SPREAD && depth) found.add(node.name.value);
      },
      leave(node) {
        // A definition may have become conditional while it was visited.
        if (node.kind === Kind.FRAGMENT_DEFINITION) depth = 0;
        else if (isConditional(node, found)) depth--;
      },
    });
  }
  return found;
}
