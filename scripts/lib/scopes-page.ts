import { isObjectType, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { FIELD_SCOPES } from '../../src/policies/field-scopes.js';
import { accessToField, accessToType, SCOPES, type Access } from '../../src/policies/scopes.js';
import { TYPE_SCOPES } from '../../src/policies/type-scopes.js';

const ROOTS = ['Query', 'Viewer', 'Subscription', 'Mutation'];

const objectTypes = (schema: GraphQLSchema): GraphQLObjectType[] =>
  Object.values(schema.getTypeMap()).filter((type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__')).sort((a, b) => (a.name < b.name ? -1 : 1));

const rootFields = (schema: GraphQLSchema): { root: string; name: string; description: string }[] =>
  ROOTS.flatMap((root) => {
    const type = schema.getType(root);
    return isObjectType(type) ? Object.values(type.getFields()).map(({ name, description }) => ({ root, name, description: description ?? '' })).sort((a, b) => (a.name < b.name ? -1 : 1)) : [];
  });

/** What the tables of scopes lack, as lines to fill in, and what they have that the schema lacks. */
export function compareScopes(schema: GraphQLSchema): { missing: string[]; stale: string[] } {
  const fields = rootFields(schema);
  const types = objectTypes(schema);
  const known = new Set([...fields.map(({ root, name }) => `${root}.${name}`), ...types.map(({ name }) => name)]);
  return {
    missing: [
      ...fields.filter(({ root, name }) => accessToField(root, name) === null).map(({ root, name }) => `'${root}.${name}': '…:${root === 'Mutation' ? 'write' : 'read'}',`),
      ...types.filter(({ name }) => accessToType(name) === null).map(({ name }) => `${name}: '…:read',`),
    ],
    stale: [...Object.keys(FIELD_SCOPES), ...Object.keys(TYPE_SCOPES)].filter((name) => !known.has(name)),
  };
}

/** All scopes as a page of Markdown, each with the fields and types that it opens. */
export function scopesPage(schema: GraphQLSchema): string {
  const fields = rootFields(schema);
  const types = objectTypes(schema).filter(({ name }) => !name.endsWith('Payload') && !ROOTS.includes(name));
  const section = (title: string, access: Access, note = ''): string => {
    const rows = fields.filter(({ root, name }) => accessToField(root, name) === access).map(({ root, name, description }) => `| \`${root}.${name}\` | ${flat(description)} |\n`);
    const shown = types.filter(({ name }) => accessToType(name) === access).map(({ name, description }) => `| \`${name}\` | ${flat(description ?? '')} |\n`);
    return `## ${title}\n\n${note}${rows.length + shown.length ? `| Field or type | |\n| --- | --- |\n${rows.join('')}${shown.join('')}\n` : 'Nothing yet.\n\n'}`;
  };
  const text = [
    '# Scopes\n\nWritten by `npm run docs:scopes` from `src/policies/field-scopes.ts` and `type-scopes.ts`. What an operation needs are the scopes of every field of Query, Viewer, Subscription and Mutation that it selects, and of every '
      + 'object type that it reaches. A mutation’s payload is opened by its mutation, and a page (`…Connection`, `…Edge`) by what is in it. [PARTNERS.md](../PARTNERS.md) says how an app is given scopes.\n\n',
    ...SCOPES.map((scope) => section(`\`${scope}\``, scope as Access)),
    section('Open', 'open', 'These ask for no scope of their own.\n\n'),
    section('No app’s', 'person-only', 'People alone have these, by a session of their own; no scope opens them.\n\n'),
  ];
  return `${text.join('').trimEnd()}\n`;
}

const flat = (text: string): string => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim();
