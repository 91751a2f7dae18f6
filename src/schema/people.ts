import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { PresencePrivacy } from './enums.js';
import { PresenceType } from './presence.js';
import { StatusGroupType } from './status.js';
import { UserType } from './user.js';

@ObjectType('UserViewerState', { description: 'What another person is to the viewer.' })
export class UserViewerStateType {
  @Field(() => Boolean) isContact: boolean;
  @Field(() => Boolean, { description: 'Both have each other among their contacts.' }) isMutualContact: boolean;
  @Field(() => String, { nullable: true, description: 'The name that the viewer gave this contact.' }) contactName: string | null;
  @Field(() => Boolean) blockedByViewer: boolean;
  @Field(() => PresenceType, { nullable: true, description: 'Null when the viewer may not see it.' }) presence: object | null;
  @Field(() => StatusGroupType, { nullable: true, description: 'What they show to the viewer at this moment; null: nothing.' }) statuses: object | null;
  @Field(() => Boolean, { description: 'The viewer has muted their statuses.' }) statusesMuted: boolean;
}

@ObjectType('PrivacySettings', { description: 'Who may find a person, and see when they are there.' })
export class PrivacySettingsType {
  @Field(() => PresencePrivacy) presence: 'EVERYONE' | 'CONTACTS' | 'NOBODY';
  @Field(() => Boolean, { description: 'Whoever has this person’s number finds them by it.' }) findByPhone: boolean;
  @Field(() => Boolean, { description: 'Found by searchUsers. Their exact handle finds them always.' }) discoverable: boolean;
}

@InputType('UpdateProfileInput', { description: 'What is left out, or null, stays as it is; but null empties `about` and `avatarUrl`.' })
export class UpdateProfileInput {
  @Field(() => String, { nullable: true, description: 'Up to 128 bytes.' }) displayName?: string | null;
  @Field(() => String, { nullable: true, description: 'Up to 1 KiB.' }) about?: string | null;
  @Field(() => String, { nullable: true, description: 'http or https, up to 2 KiB.' }) avatarUrl?: string | null;
  @Field(() => ID, { nullable: true, description: 'One of one’s own pictures, instead of `avatarUrl`.' }) avatarFileId?: string | null;
  @Field(() => String, { nullable: true, description: '3 to 32 of a–z, 0–9, _ and, inside, full stops.' }) handle?: string | null;
  @Field(() => PresencePrivacy, { nullable: true }) presencePrivacy?: 'EVERYONE' | 'CONTACTS' | 'NOBODY' | null;
  @Field(() => Boolean, { nullable: true }) findByPhone?: boolean | null;
  @Field(() => Boolean, { nullable: true }) discoverable?: boolean | null;
}
@ObjectType('UpdateProfilePayload')
export class UpdateProfilePayload {
  @Field(() => UserType) user: object;
  @Field(() => PrivacySettingsType) privacy: object;
}
