import assert from 'node:assert/strict';
import { isInputObjectType } from 'graphql';
import { buildSchemaForPrinting } from './build-schema.js';

describe('the schema', () => {
  it('has no defaults in inputs: a compiled operation does not fill them in where the input is a variable', () => {
    const inputs = Object.values(buildSchemaForPrinting().getTypeMap()).filter(isInputObjectType);
    const defaults = inputs.flatMap((input) => Object.values(input.getFields()).flatMap((field) => (field.defaultValue === undefined ? [] : [`${input.name}.${field.name}`])));
    assert.ok(inputs.length > 20);
    assert.deepEqual(defaults, []);
  });
});
