import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { DateTime } from './scalars.js';
import { UserType } from './user.js';

@ObjectType('Contact', { description: 'An entry of the viewer’s contacts.' })
export class ContactType {
  @Field(() => String, { nullable: true, description: 'The name that the viewer gave them.' }) name: string | null;
  @Field(() => Boolean, { description: 'They have the viewer among their contacts too.' }) mutual: boolean;
  @Field(() => DateTime) createdAt: Date;
}
export const ContactPages = connectionOf('Contact', () => ContactType);

@InputType('AddContactInput')
export class AddContactInput {
  @Field(() => ID) userId: string;
  @Field(() => String, { nullable: true, description: 'Up to 128 bytes. Left out: stays as it is; null: none.' }) name?: string | null;
}
@ObjectType('AddContactPayload')
export class AddContactPayload {
  @Field(() => ContactType) contact: object;
}

@InputType('RemoveContactInput')
export class RemoveContactInput {
  @Field(() => ID) userId: string;
}
@ObjectType('RemoveContactPayload')
export class RemoveContactPayload {
  @Field(() => UserType) user: object;
}

@InputType('PhoneBookEntryInput')
export class PhoneBookEntryInput {
  @Field(() => String, { description: 'As it is written in the phone book.' }) phone: string;
  @Field(() => String, { nullable: true, description: 'Up to 128 bytes.' }) name?: string | null;
}
@InputType('SyncContactsInput')
export class SyncContactsInput {
  @Field(() => [PhoneBookEntryInput], { description: 'Up to 500; one person may look up 2,000 numbers a day.' }) entries: PhoneBookEntryInput[];
  @Field(() => String, { nullable: true, description: 'The country of numbers without a country code, by its two letters: CH.' }) defaultRegion?: string | null;
}
@ObjectType('ContactMatch', { description: 'A number of a phone book, and whom it found.' })
export class ContactMatchType {
  @Field(() => String, { description: 'As it was given.' }) phone: string;
  @Field(() => ContactType) contact: object;
}
@ObjectType('SyncContactsPayload')
export class SyncContactsPayload {
  @Field(() => [ContactMatchType]) matches: object[];
  @Field(() => [String], { description: 'What is no phone number, as it was given.' }) unrecognized: string[];
}
