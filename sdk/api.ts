import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { Kind, type DocumentNode } from 'graphql';
import * as generated from './generated/graphql.js';

type Generated = typeof generated;
type Method<Document> =
  Document extends TypedDocumentNode<infer Data, infer Variables>
    ? (...variables: Record<string, never> extends Variables ? [variables?: Variables] : [variables: Variables]) => Promise<Data>
    : never;

/** One method for each query and mutation of sdk/operations, by its name. */
export type Api = {
  [Name in keyof Generated as Name extends `${infer Operation}Document` ? (Operation extends `${string}Events` ? never : Uncapitalize<Operation>) : never]: Method<Generated[Name]>;
};

export function createApi(request: (document: TypedDocumentNode<never, never>, variables?: object) => Promise<unknown>): Api {
  const methods: Record<string, (variables?: object) => Promise<unknown>> = {};
  for (const value of Object.values(generated) as DocumentNode[]) {
    const operation = value.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
    if (operation?.name && operation.operation !== 'subscription') methods[operation.name.value] = (variables) => request(value as TypedDocumentNode<never, never>, variables);
  }
  return methods as Api;
}
