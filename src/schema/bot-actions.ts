import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { BUTTON_STYLES, FORM_FIELD_KINDS, type ButtonStyle as Style, type FormFieldKind as FieldKind } from '../entities/bot-card.js';
import { enumOf } from './enums.js';
import { MessageType } from './message.js';
import { DateTime } from './scalars.js';
import { StreamEventType } from './stream-event.js';
import { UserType } from './user.js';

export const ButtonStyle = enumOf('ButtonStyle', BUTTON_STYLES, 'How a button looks: DANGER is for what can’t be taken back.');
export const FormFieldKind = enumOf('FormFieldKind', FORM_FIELD_KINDS);

@ObjectType('CardButton', { description: 'A link where it has a url; any other is pressed by `pressButton`.' })
export class CardButtonType {
  @Field(() => String, { description: 'By which it is pressed.' }) key: string;
  @Field(() => String) label: string;
  @Field(() => ButtonStyle) style: Style;
  @Field(() => String, { nullable: true }) url: string | null;
  @Field(() => Int, { description: 'In which row it stands: 0, 1, 2 …' }) row: number;
}
@ObjectType('CardFormField', { description: 'Of its bounds only those of its kind are there.' })
export class CardFormFieldType {
  @Field(() => String, { description: 'By which its value is given.' }) key: string;
  @Field(() => FormFieldKind) kind: FieldKind;
  @Field(() => String) label: string;
  @Field(() => String, { nullable: true }) hint: string | null;
  @Field(() => Boolean) required: boolean;
  @Field(() => Int, { nullable: true, description: 'Of a TEXT, in characters.' }) maxLength: number | null;
  @Field(() => Float, { nullable: true, description: 'Of a NUMBER.' }) min: number | null;
  @Field(() => Float, { nullable: true }) max: number | null;
  @Field(() => [String], { description: 'Of a CHOICE.' }) options: string[];
  @Field(() => Boolean, { description: 'A CHOICE takes several options.' }) multiple: boolean;
  @Field(() => String, { nullable: true, description: 'Of a DATE, as 2026-01-31.' }) earliest: string | null;
  @Field(() => String, { nullable: true }) latest: string | null;
}
@ObjectType('CardForm', { description: 'Filled in by `submitForm`.' })
export class CardFormType {
  @Field(() => String) submitLabel: string;
  @Field(() => [CardFormFieldType], { description: 'At most 10.' }) fields: object[];
}
@ObjectType('InteractiveCard', { description: 'What a bot has people press and fill in.' })
export class InteractiveCardType {
  @Field(() => String, { nullable: true }) heading: string | null;
  @Field(() => [CardButtonType], { description: 'At most 64, row by row.' }) buttons: object[];
  @Field(() => CardFormType, { nullable: true }) form: object | null;
}

@InputType('CardButtonInput')
export class CardButtonInput {
  @Field(() => String, { description: '1 to 64 visible ASCII characters, each once on a card.' }) key: string;
  @Field(() => String, { description: 'Up to 128 bytes.' }) label: string;
  @Field(() => ButtonStyle, { defaultValue: 'DEFAULT' }) style: Style;
  @Field(() => String, { nullable: true, description: 'Makes it a link: nobody is told that it was opened.' }) url?: string | null;
  @Field(() => String, { nullable: true, description: 'Comes back to the bot with each press, and is shown to nobody else: up to 256 bytes.' }) payload?: string | null;
}
@InputType('CardFormFieldInput', { description: 'Bounds of other kinds are refused.' })
export class CardFormFieldInput {
  @Field(() => String, { description: '1 to 64 visible ASCII characters, each once in a form.' }) key: string;
  @Field(() => FormFieldKind) kind: FieldKind;
  @Field(() => String, { description: 'Up to 128 bytes.' }) label: string;
  @Field(() => String, { nullable: true, description: 'Up to 256 bytes.' }) hint?: string | null;
  @Field(() => Boolean, { defaultValue: false }) required: boolean;
  @Field(() => Int, { nullable: true, description: 'Of a TEXT: 1 to 4000, default 1000.' }) maxLength?: number | null;
  @Field(() => Float, { nullable: true, description: 'Of a NUMBER.' }) min?: number | null;
  @Field(() => Float, { nullable: true }) max?: number | null;
  @Field(() => [String], { nullable: true, description: 'Of a CHOICE: 1 to 25, all different, each up to 128 bytes.' }) options?: string[] | null;
  @Field(() => Boolean, { defaultValue: false }) multiple: boolean;
  @Field(() => String, { nullable: true, description: 'Of a DATE, as 2026-01-31.' }) earliest?: string | null;
  @Field(() => String, { nullable: true }) latest?: string | null;
}
@InputType('CardFormInput')
export class CardFormInput {
  @Field(() => String, { description: 'Up to 128 bytes.' }) submitLabel: string;
  @Field(() => [CardFormFieldInput], { description: '1 to 10.' }) fields: CardFormFieldInput[];
}
@InputType('CardInput', { description: 'At most 32 KiB in all.' })
export class CardInput {
  @Field(() => String, { nullable: true, description: 'Up to 256 bytes.' }) heading?: string | null;
  @Field(() => [[CardButtonInput]], { nullable: true, description: 'Rows of buttons: at most 8 of at most 8.' }) rows?: CardButtonInput[][] | null;
  @Field(() => CardFormInput, { nullable: true }) form?: CardFormInput | null;
}

@InputType('SendBotCardInput')
export class SendBotCardInput {
  @Field(() => ID) chatId: string;
  @Field(() => String, { description: 'Up to 16 KiB: also what is left of the message when it is forwarded.' }) text: string;
  @Field(() => CardInput, { description: 'With buttons, or a form, or both.' }) card: CardInput;
  @Field(() => ID, { nullable: true }) replyToId?: string | null;
  @Field(() => ID, { nullable: true, description: 'Answers in the thread of this message.' }) threadRootId?: string | null;
  @Field(() => ID) idempotencyKey: string;
}
@InputType('UpdateBotCardInput')
export class UpdateBotCardInput {
  @Field(() => ID) messageId: string;
  @Field(() => String, { nullable: true, description: 'Left out: as it is.' }) text?: string | null;
  @Field(() => CardInput, { description: 'Replaces the card; without buttons and form there is nothing to press any more.' }) card: CardInput;
  @Field(() => Int, { nullable: true, description: 'Refused as STATE_CONFLICT when the message has another version.' }) expectedVersion?: number | null;
}
@InputType('PressButtonInput')
export class PressButtonInput {
  @Field(() => ID) messageId: string;
  @Field(() => String, { description: 'The key of a button of its card.' }) button: string;
  @Field(() => ID) idempotencyKey: string;
}
@InputType('FormValueInput', { description: 'Its key, and the one that the field’s kind says.' })
export class FormValueInput {
  @Field(() => String) key: string;
  @Field(() => String, { nullable: true, description: 'Of a TEXT.' }) text?: string | null;
  @Field(() => Float, { nullable: true, description: 'Of a NUMBER.' }) number?: number | null;
  @Field(() => [String], { nullable: true, description: 'Of a CHOICE.' }) choices?: string[] | null;
  @Field(() => String, { nullable: true, description: 'Of a DATE, as 2026-01-31.' }) date?: string | null;
}
@InputType('SubmitFormInput')
export class SubmitFormInput {
  @Field(() => ID) messageId: string;
  @Field(() => [FormValueInput]) values: FormValueInput[];
  @Field(() => ID) idempotencyKey: string;
}
@InputType('AnswerCallbackInput')
export class AnswerCallbackInput {
  @Field(() => ID) callbackId: string;
  @Field(() => String, { nullable: true, description: 'What whoever has pressed is shown, up to 512 bytes; none: it is only said that it has arrived.' }) notice?: string | null;
  @Field(() => Boolean, { defaultValue: false, description: 'It is to be seen before they go on.' }) alert: boolean;
}

@ObjectType()
abstract class CardPayload {
  @Field(() => MessageType) message: object;
}
@ObjectType('SendBotCardPayload')
export class SendBotCardPayload extends CardPayload {}
@ObjectType('UpdateBotCardPayload')
export class UpdateBotCardPayload extends CardPayload {}

@ObjectType()
abstract class CallbackPayload {
  @Field(() => ID, { description: 'Of which `CallbackAnswered` tells.' }) callbackId: string;
  @Field(() => DateTime, { description: 'Until then the bot can answer.' }) expiresAt: Date;
}
@ObjectType('PressButtonPayload')
export class PressButtonPayload extends CallbackPayload {}
@ObjectType('SubmitFormPayload')
export class SubmitFormPayload extends CallbackPayload {}
@ObjectType('AnswerCallbackPayload')
export class AnswerCallbackPayload {
  @Field(() => ID) callbackId: string;
}

@ObjectType('FormValue', { description: 'As it was checked against the form.' })
export class FormValueType {
  @Field(() => String) key: string;
  @Field(() => String, { nullable: true }) text: string | null;
  @Field(() => Float, { nullable: true }) number: number | null;
  @Field(() => [String], { nullable: true }) choices: string[] | null;
  @Field(() => String, { nullable: true }) date: string | null;
}
@ObjectType('BotCallback', { description: 'A button that somebody has pressed, or a form that they have filled in: for the bot whose card it is.' })
export class BotCallbackType {
  @Field(() => ID) id: string;
  @Field(() => UserType) user: object;
  @Field(() => ID) chatId: string;
  @Field(() => ID) messageId: string;
  @Field(() => String, { nullable: true, description: 'Its key; null of a form.' }) button: string | null;
  @Field(() => String, { nullable: true, description: 'Of the button, as the bot gave it.' }) payload: string | null;
  @Field(() => [FormValueType], { description: 'Of the form, in its order; what was left empty is left out.' }) values: object[];
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { description: 'Until then it can be answered.' }) expiresAt: Date;
}

@ObjectType({ implements: StreamEventType })
abstract class CallbackEvent extends StreamEventType {
  @Field(() => ID) callbackId: string;
  @Field(() => ID) chatId: string;
  @Field(() => ID, { description: 'With the card.' }) messageId: string;
}
@ObjectType({ implements: StreamEventType })
abstract class CalledBackEvent extends CallbackEvent {
  @Field(() => BotCallbackType, { nullable: true, description: 'Null when it has been forgotten: after 7 days, or with whoever it was.' }) callback: object | null;
}
@ObjectType('ButtonPressed', { implements: StreamEventType, description: 'Somebody has pressed a button on a card of the viewer, a bot.' })
export class ButtonPressedType extends CalledBackEvent {}
@ObjectType('FormSubmitted', { implements: StreamEventType, description: 'Somebody has filled in the form on a card of the viewer, a bot.' })
export class FormSubmittedType extends CalledBackEvent {}
@ObjectType('CallbackAnswered', { implements: StreamEventType, description: 'A bot has answered what the viewer has pressed or filled in.' })
export class CallbackAnsweredType extends CallbackEvent {
  @Field(() => String, { nullable: true }) notice: string | null;
  @Field(() => Boolean, { description: 'It is to be seen before they go on.' }) alert: boolean;
}

/** Events of an inbox. */
export const BOTS_OF_INBOX = [ButtonPressedType, FormSubmittedType, CallbackAnsweredType];
