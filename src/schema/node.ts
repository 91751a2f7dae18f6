import { Field, ID, InterfaceType } from 'type-graphql';

@InterfaceType('Node', { description: 'An object with an id of its own, that `node(id)` finds.' })
export abstract class NodeType {
  @Field(() => ID) id: string;
}
