import { diff, CriticalityLevel, type Change } from '@graphql-inspector/core';
import { getNamedType, isEnumType, isInputObjectType, isInterfaceType, isObjectType, isScalarType, isUnionType, type GraphQLNamedType, type GraphQLSchema } from 'graphql';

/** Every deprecation says until when at least it stays. */
export const DATED = /^Until (\d{4}-\d{2}-\d{2}): \S/;
const REMOVALS = /^(FIELD_REMOVED|ENUM_VALUE_REMOVED|INPUT_FIELD_REMOVED|FIELD_ARGUMENT_REMOVED)$/;

export interface Verdict {
  /** What a client of the released schema would be broken by. */
  breaking: Change[];
  /** Deprecations of the new schema that name no date. */
  undated: string[];
  all: Change[];
}

/** What has changed since the release. Whatever was deprecated there, and whose date is over, may go. */
export async function judge(released: GraphQLSchema, now: GraphQLSchema, today: string): Promise<Verdict> {
  const all = await diff(released, now);
  const dates = deprecations(released);
  const breaking = all.filter((change) => {
    if (change.criticality.level !== CriticalityLevel.Breaking) return false;
    const until = REMOVALS.test(change.type) && change.path ? DATED.exec(dates.get(change.path) ?? '')?.[1] : undefined;
    return until === undefined || until >= today;
  });
  const undated = [...deprecations(now)].filter(([, reason]) => !DATED.test(reason)).map(([path]) => path);
  return { breaking, undated, all };
}

/** Reasons of what is deprecated, by path: `Type.field`, `Type.field.argument`. */
function deprecations(schema: GraphQLSchema): Map<string, string> {
  const found = new Map<string, string>();
  const note = (path: string, reason: string | null | undefined) => reason != null && found.set(path, reason);
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    if (isEnumType(type)) for (const value of type.getValues()) note(`${type.name}.${value.name}`, value.deprecationReason);
    if (isInputObjectType(type)) for (const field of Object.values(type.getFields())) note(`${type.name}.${field.name}`, field.deprecationReason);
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        note(`${type.name}.${field.name}`, field.deprecationReason);
        for (const argument of field.args) note(`${type.name}.${field.name}.${argument.name}`, argument.deprecationReason);
      }
    }
  }
  return found;
}

/** An entry of the changelog. */
export function changelog(version: string, day: string, { all }: Pick<Verdict, 'all'>): string {
  const of = (level: CriticalityLevel) => all.filter((change) => change.criticality.level === level).map((change) => `- ${change.message}`).sort();
  const part = (title: string, lines: string[]) => (lines.length ? `### ${title}\n\n${lines.join('\n')}\n\n` : '');
  const body = part('Breaking', of(CriticalityLevel.Breaking)) + part('With care', of(CriticalityLevel.Dangerous)) + part('New, or said anew', of(CriticalityLevel.NonBreaking));
  return `## ${version}, ${day}\n\n${body || 'Nothing has changed.\n\n'}`;
}

const flat = (text: string | null | undefined): string => (text ?? '').replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim();
const heading = (type: GraphQLNamedType): string => `### ${type.name}\n\n${type.description ? `${flat(type.description)}\n\n` : ''}`;
const link = (type: Parameters<typeof getNamedType>[0] & object): string => {
  const name = getNamedType(type)!.name;
  return `[\`${String(type)}\`](#${name.toLowerCase()})`;
};

/** All of a schema as one page of Markdown, by kinds and names. */
export function reference(schema: GraphQLSchema): string {
  const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__')).sort((a, b) => a.name.localeCompare(b.name));
  const row = (name: string, type: string, text: string, deprecated: string | null | undefined) => `| \`${name}\` | ${type} | ${deprecated == null ? '' : `**Deprecated.** ${flat(deprecated)} `}${flat(text)} |\n`;
  const table = (rows: string) => `| | | |\n| --- | --- | --- |\n${rows}\n`;
  const fields = (type: GraphQLNamedType): string => {
    if (isObjectType(type) || isInterfaceType(type)) {
      return table(Object.values(type.getFields()).map((field) => {
        const given = field.args.map((argument) => `${argument.name}: ${String(argument.type)}`).join(', ');
        return row(given ? `${field.name}(${given})` : field.name, link(field.type), field.description ?? '', field.deprecationReason);
      }).join(''));
    }
    if (isInputObjectType(type)) return table(Object.values(type.getFields()).map((field) => row(field.name, link(field.type), field.description ?? '', field.deprecationReason)).join(''));
    if (isEnumType(type)) return `${type.getValues().map(({ name, deprecationReason }) => `\`${name}\`${deprecationReason == null ? '' : ' (deprecated)'}`).join(', ')}\n\n`;
    if (isUnionType(type)) return `${type.getTypes().map((member) => link(member)).join(', ')}\n\n`;
    return '';
  };
  const section = (title: string, chosen: readonly GraphQLNamedType[]) => `## ${title}\n\n${chosen.map((type) => heading(type) + fields(type)).join('')}`;
  const roots = ['Query', 'Mutation', 'Subscription'].flatMap((name) => schema.getType(name) ?? []);
  const rest = types.filter((type) => !roots.includes(type));
  return [
    '# The API, as it was released\n\nWritten by `npm run schema:release` from [released.graphql](released.graphql).\n',
    section('Operations', roots), section('Objects', rest.filter((type) => isObjectType(type) || isInterfaceType(type))), section('Unions', rest.filter(isUnionType)),
    section('Inputs', rest.filter(isInputObjectType)), section('Enums', rest.filter(isEnumType)), section('Scalars', rest.filter(isScalarType)),
  ].join('\n');
}
