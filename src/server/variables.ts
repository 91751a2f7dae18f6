import { createRequire } from 'node:module';
import { getVariableValues, GraphQLError, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { fillerOf, type FillVariables } from './variable-defaults.js';

export type Coerced = { coerced: Record<string, unknown>; errors?: undefined } | { coerced?: undefined; errors: readonly GraphQLError[] };

// Of this part the package has an ES module that Node can't resolve.
const { compileVariableParsing } = createRequire(import.meta.url)('graphql-jit/dist/variables.js') as typeof import('graphql-jit/dist/variables.js');

/** As for documents: compiling is for what comes again. */
const COMPILE_AFTER = 2;
const MAX_ERRORS = 5;

/** Coerces the variables of one operation, any number of times. */
export class Variables {
  #uses = 0;
  #parse: ReturnType<typeof compileVariableParsing> | null = null;
  #fill: FillVariables | null = null;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly operation: OperationDefinitionNode,
  ) {}

  coerce(given: Record<string, unknown>): Coerced {
    if (++this.#uses > COMPILE_AFTER) {
      if (!this.#parse) this.#compile();
      const { coerced } = this.#parse!(this.#fill ? this.#fill(given) : given) as { coerced?: Record<string, unknown> };
      if (coerced) return { coerced };
    }
    // What is wrong is said by the reference implementation, in words that graphql-jit has not.
    const values = getVariableValues(this.schema, this.operation.variableDefinitions ?? [], given, { maxErrors: MAX_ERRORS });
    return values.errors ? { errors: values.errors.map(withoutValue) } : { coerced: values.coerced };
  }

  #compile(): void {
    this.#parse = compileVariableParsing(this.schema, this.operation.variableDefinitions ?? []);
    this.#fill = fillerOf(this.schema, this.operation);
  }
}

/** What was wrong with a variable, and where, without the variable: it may hold a password, and messages end up in clients' logs. */
function withoutValue(error: GraphQLError): GraphQLError {
  const [, variable] = /^Variable "(\$\w+)" got invalid value /.exec(error.message) ?? [];
  const why = error.originalError?.message;
  if (variable === undefined || why === undefined) return error;
  const [, place] = / at "([^"\\]+)"$/.exec(error.message.slice(0, -`; ${why}`.length)) ?? [];
  return new GraphQLError(`Variable "${variable}" got an invalid value${place === undefined ? '' : ` at "${place}"`}; ${why}`, { nodes: error.nodes });
}
