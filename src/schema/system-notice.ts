import { Field, ObjectType } from 'type-graphql';
import { SystemAction } from './enums.js';
import type { SystemAction as Action } from '../entities/message.js';

@ObjectType('SystemNotice', { description: 'What a SYSTEM message tells: its sender did this.' })
export class SystemNoticeType {
  @Field(() => SystemAction) action: Action;
  @Field(() => String, { nullable: true, description: 'The new title, or the new seconds of disappearing messages; null: none.' }) value?: string | null;
}
