import { ArgsType, Field, Int, ObjectType, type ClassType } from 'type-graphql';

@ArgsType()
export class ForwardArgs {
  @Field(() => Int, { nullable: true, description: 'How many: 0 to 100, default 20.' }) first?: number | null;
  @Field(() => String, { nullable: true, description: 'The cursor to go on behind.' }) after?: string | null;
}

@ArgsType()
export class ConnectionArgs extends ForwardArgs {
  @Field(() => Int, { nullable: true, description: 'How many from the end: 0 to 100. Not together with `first`.' }) last?: number | null;
  @Field(() => String, { nullable: true, description: 'The cursor to go back from.' }) before?: string | null;
}

@ObjectType('PageInfo')
export class PageInfoType {
  @Field(() => Boolean) hasNextPage: boolean;
  @Field(() => Boolean) hasPreviousPage: boolean;
  @Field(() => String, { nullable: true }) startCursor: string | null;
  @Field(() => String, { nullable: true }) endCursor: string | null;
}

@ObjectType()
class PlainEdge {}

export interface ConnectionClass {
  Connection: ClassType;
  Edge: ClassType;
}

/**
 * The Relay connection and edge types of a node: `XConnection { edges { cursor node } pageInfo }`.
 * `EdgeBase`, a class under @ObjectType(), gives the edge further fields (highlights of a search, say).
 */
export function connectionOf(name: string, node: () => ClassType, EdgeBase: ClassType = PlainEdge): ConnectionClass {
  @ObjectType(`${name}Edge`)
  class Edge extends EdgeBase {
    @Field(() => String) cursor: string;
    @Field(node) node: object;
  }
  @ObjectType(`${name}Connection`)
  class Connection {
    @Field(() => [Edge]) edges: Edge[];
    @Field(() => PageInfoType) pageInfo: PageInfoType;
  }
  return { Connection, Edge };
}
