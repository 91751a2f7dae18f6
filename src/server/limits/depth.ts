import { GraphQLError, Kind, type FragmentDefinitionNode, type SelectionSetNode, type ValidationRule } from 'graphql';

/**
 * Refuses a selection that is nested deeper than `max` fields: QUERY_TOO_DEEP. What the introspection fields hold is not
 * counted; the specification's own rule bounds that.
 */
export function maxDepth(max: number): ValidationRule {
  return (context) => {
    const depths = new Map<string, number>();
    const ofFragment = (fragment: FragmentDefinitionNode): number => {
      const name = fragment.name.value;
      let depth = depths.get(name);
      if (depth === undefined) {
        depths.set(name, 0); // a cycle is another rule's finding
        depths.set(name, (depth = deepest(fragment.selectionSet)));
      }
      return depth;
    };
    const deepest = (set: SelectionSetNode): number => {
      let depth = 0;
      for (const selection of set.selections) {
        let found: number;
        if (selection.kind === Kind.FIELD) {
          const described = selection.name.value === '__schema' || selection.name.value === '__type';
          found = 1 + (selection.selectionSet && !described ? deepest(selection.selectionSet) : 0);
        } else if (selection.kind === Kind.INLINE_FRAGMENT) {
          found = deepest(selection.selectionSet);
        } else {
          const fragment = context.getFragment(selection.name.value);
          found = fragment ? ofFragment(fragment) : 0;
        }
        if (found > depth) depth = found;
      }
      return depth;
    };
    return {
      OperationDefinition(operation) {
        const depth = deepest(operation.selectionSet);
        if (depth <= max) return;
        const message = `The operation is ${depth} fields deep; ${max} is the most.`;
        context.reportError(new GraphQLError(message, { nodes: operation, extensions: { code: 'QUERY_TOO_DEEP', depth, limit: max } }));
      },
    };
  };
}
