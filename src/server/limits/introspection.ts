import { GraphQLError, type ValidationRule } from 'graphql';

/** Refuses to describe the schema (INTROSPECTION=false): OPERATION_NOT_ALLOWED. `__typename` stays. */
export const noIntrospection: ValidationRule = (context) => ({
  Field(node) {
    if (node.name.value !== '__schema' && node.name.value !== '__type') return;
    context.reportError(new GraphQLError('Introspection is switched off here.', { nodes: node, extensions: { code: 'OPERATION_NOT_ALLOWED' } }));
  },
});
