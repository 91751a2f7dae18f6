import { execute, type DocumentNode, type ExecutionResult, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import { hasSkippedTwins } from './skipped-twins.js';
import { fillerOf, hasOptionalPlaces, type FillVariables } from './variable-defaults.js';

/** Compiling costs as much as some tens of executions: a document earns it by being used again. */
const COMPILE_AFTER = 2;

/** One operation of a document on a schema, to be executed any number of times. */
export class Executable {
  #uses = 0;
  #compiled: CompiledQuery | null | undefined;
  #fill: FillVariables | null = null;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly document: DocumentNode,
    private readonly operation: OperationDefinitionNode,
  ) {}

  execute(root: unknown, context: unknown, variables: Record<string, unknown>): ExecutionResult | Promise<ExecutionResult> {
    if (++this.#uses > COMPILE_AFTER && this.#compiled === undefined) {
      const interpreted = hasSkippedTwins(this.schema, this.document) || hasOptionalPlaces(this.schema, this.document, this.operation);
      const compiled = interpreted ? null : compileQuery(this.schema, this.document, this.operation.name?.value, { disableLeafSerialization: false });
      this.#compiled = compiled && isCompiledQuery(compiled) ? (compiled as CompiledQuery) : null;
      this.#fill = fillerOf(this.schema, this.operation);
    }
    if (this.#compiled) return this.#compiled.query(root, context, this.#fill ? this.#fill(variables) : variables) as ExecutionResult | Promise<ExecutionResult>;
    return execute({ schema: this.schema, document: this.document, rootValue: root, contextValue: context, variableValues: variables, operationName: this.operation.name?.value ?? null }) as
      | ExecutionResult
      | Promise<ExecutionResult>;
  }
}
