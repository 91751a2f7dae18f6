import type { CodegenConfig } from '@graphql-codegen/cli';

/** Typed documents and a method for each operation, from schema.graphql and sdk/operations. */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: 'sdk/operations/*.graphql',
  generates: {
    'sdk/generated/graphql.ts': {
      plugins: ['typescript-operations', 'typed-document-node'],
      config: {
        scalars: { DateTime: 'string', EventCursor: 'string', BigInt: 'number', JSON: 'unknown', Bytes: 'string', ID: 'string' },
        useTypeImports: true,
        enumsAsTypes: true,
        immutableTypes: false,
        skipTypename: true,
        documentMode: 'documentNode',
      },
    },
  },
};
export default config;
