import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { enumOf, PresenceStatus } from './enums.js';
import { DateTime } from './scalars.js';
import { UserType } from './user.js';

@ObjectType('Presence', { description: 'Whether somebody is there, over all of their devices.' })
export class PresenceType {
  @Field(() => PresenceStatus) status: 'ONLINE' | 'AWAY' | 'OFFLINE';
  @Field(() => DateTime, { nullable: true, description: 'When their last connection ended; null while they are there, and for who never was.' }) lastSeenAt: Date | null;
}

const OwnPresence = enumOf('OwnPresence', ['ONLINE', 'AWAY'], 'What a device says of itself: OFFLINE comes by itself when its connections end.');

@InputType('SetPresenceInput')
export class SetPresenceInput {
  @Field(() => OwnPresence, { description: 'Of this session, until it says otherwise or its connections end.' }) status: 'ONLINE' | 'AWAY';
}
@ObjectType('SetPresencePayload')
export class SetPresencePayload {
  @Field(() => PresenceType, { description: 'Over all of the viewer’s devices.' }) presence: object;
}

@ObjectType('PresenceEvent', { description: 'Somebody’s presence as it is now. Ephemeral: of several changes only the last may be told.' })
export class PresenceEventType {
  @Field(() => ID) userId: string;
  @Field(() => UserType) user: object;
  @Field(() => PresenceType, { nullable: true, description: 'Null when the viewer may see it no more.' }) presence: object | null;
}
