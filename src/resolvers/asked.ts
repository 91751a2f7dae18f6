import { Kind, type FieldNode, type GraphQLResolveInfo, type SelectionNode, type SelectionSetNode } from 'graphql';

type Fragments = GraphQLResolveInfo['fragments'];

/** By the field's node, which lives as long as its document is kept. */
const known = new WeakMap<FieldNode, Map<string, ReadonlySet<string>>>();

/**
 * The names of the fields that the document asks for at a path below this field ('edges.node'; '' is the field itself), so that no more is read than
 * that. It may name more than will be answered: conditions, @skip and @include are not looked at.
 */
export function askedAt({ fieldNodes, fragments }: Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>, path: string): ReadonlySet<string> {
  const [only, another] = fieldNodes;
  if (another) return collect(fieldNodes, fragments, path);
  let byPath = known.get(only!);
  if (!byPath) known.set(only!, (byPath = new Map()));
  let names = byPath.get(path);
  if (!names) byPath.set(path, (names = collect(fieldNodes, fragments, path)));
  return names;
}

function collect(nodes: readonly FieldNode[], fragments: Fragments, path: string): ReadonlySet<string> {
  let fields = nodes.flatMap((node) => fieldsOf(node.selectionSet, fragments));
  for (const name of path ? path.split('.') : []) fields = fields.filter((field) => field.name.value === name).flatMap((field) => fieldsOf(field.selectionSet, fragments));
  return new Set(fields.map((field) => field.name.value));
}

const fieldsOf = (set: SelectionSetNode | undefined, fragments: Fragments): FieldNode[] => (set?.selections ?? []).flatMap((selection) => fieldsIn(selection, fragments));

function fieldsIn(selection: SelectionNode, fragments: Fragments): FieldNode[] {
  if (selection.kind === Kind.FIELD) return [selection];
  return fieldsOf(selection.kind === Kind.INLINE_FRAGMENT ? selection.selectionSet : fragments[selection.name.value]?.selectionSet, fragments);
}
