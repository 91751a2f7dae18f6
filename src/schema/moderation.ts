import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { RULE_ACTIONS, type RuleAction } from '../policies/moderation-policy.js';
import { ChatMemberType } from './chat.js';
import { connectionOf } from './connection.js';
import { enumOf, ReportTargetType } from './enums.js';
import { StreamEventType } from './stream-event.js';
import { DateTime } from './scalars.js';
import { UserType } from './user.js';

export const ModerationAction = enumOf('ModerationAction', RULE_ACTIONS, 'FLAG: it is sent, and somebody who moderates looks at it. HOLD: it waits for them. BLOCK: it is refused.');
export const ModerationCaseKind = enumOf('ModerationCaseKind', ['HELD', 'FLAGGED', 'REPORTED']);
export const ModerationCaseState = enumOf('ModerationCaseState', ['OPEN', 'APPROVED', 'REJECTED', 'APPEALED'], 'APPEALED: whoever it was decided against asks for another look.');
export const ModerationDecision = enumOf('ModerationDecision', ['APPROVE', 'REJECT'], 'APPROVE: what was held is sent, and what was flagged or reported stands. REJECT: what was held is not sent, and what was flagged or reported is deleted for everyone.');

@ObjectType('ModerationWordRule')
export class ModerationWordRuleType {
  @Field(() => String) word: string;
  @Field(() => ModerationAction) action: RuleAction;
}
@ObjectType('ModerationLinkRule')
export class ModerationLinkRuleType {
  @Field(() => ModerationAction) action: RuleAction;
  @Field(() => [String]) allowedHosts: string[];
}
@ObjectType('ModerationFloodRule')
export class ModerationFloodRuleType {
  @Field(() => Int) messages: number;
  @Field(() => Int) seconds: number;
  @Field(() => ModerationAction) action: RuleAction;
}
@ObjectType('ModerationClassifierRule')
export class ModerationClassifierRuleType {
  @Field(() => ModerationAction) action: RuleAction;
  @Field(() => Float) threshold: number;
}
@ObjectType('ModerationStrikeRule')
export class ModerationStrikeRuleType {
  @Field(() => Int) limit: number;
  @Field(() => Int) muteSeconds: number;
}
@ObjectType('ModerationRules', { description: 'They are for members: those who run a chat are free of them. A message is judged before it is sent; the strictest rule that fits decides.' })
export class ModerationRulesType {
  @Field(() => [ModerationWordRuleType]) words: ModerationWordRuleType[];
  @Field(() => ModerationLinkRuleType, { nullable: true }) links: ModerationLinkRuleType | null;
  @Field(() => ModerationFloodRuleType, { nullable: true }) flood: ModerationFloodRuleType | null;
  @Field(() => ModerationClassifierRuleType, { nullable: true }) classifier: ModerationClassifierRuleType | null;
  @Field(() => ModerationStrikeRuleType, { nullable: true }) strikes: ModerationStrikeRuleType | null;
}

@ObjectType('ModerationCase', { description: 'What somebody who moderates decides about. Seen by them, and by whom it is about once it is held or decided.' })
export class ModerationCaseType {
  @Field(() => ID) id: string;
  @Field(() => ModerationCaseKind) kind: string;
  @Field(() => ModerationCaseState) state: string;
  @Field(() => ReportTargetType) targetType: string;
  @Field(() => [String], { description: 'WORD, LINK, FLOOD, TOXICITY, SPAM; of what was reported, the reasons that were given.' }) reasons: string[];
  @Field(() => Float, { nullable: true, description: 'Of the classifier, 0 to 1.' }) score: number | null;
  @Field(() => Int, { description: 'How many have reported it.' }) reportCount: number;
  @Field(() => String, { nullable: true, description: 'What is held, or the words of the message as they are now; null when they are gone.' }) text: string | null;
  @Field(() => DateTime, { nullable: true }) decidedAt: Date | null;
  @Field(() => String, { nullable: true, description: 'Why it was decided so.' }) note: string | null;
  @Field(() => String, { nullable: true }) appeal: string | null;
  @Field(() => DateTime, { nullable: true }) appealedAt: Date | null;
  @Field(() => DateTime) createdAt: Date;
}
export const ModerationCasePages = connectionOf('ModerationCase', () => ModerationCaseType);

@ObjectType('ModerationBan')
export class ModerationBanType {
  @Field(() => DateTime, { nullable: true, description: 'Null: for good.' }) until: Date | null;
  @Field(() => String) reason: string;
  @Field(() => DateTime) createdAt: Date;
}
export const ModerationBanPages = connectionOf('ModerationBan', () => ModerationBanType);

@ObjectType('ModerationCaseChanged', { implements: StreamEventType, description: 'Something of the viewer’s, or in a chat that they run, is held, was flagged, reported, decided, or appealed.' })
export class ModerationCaseChangedType extends StreamEventType {
  @Field(() => ID) caseId: string;
  @Field(() => ModerationCaseType, { nullable: true, description: 'As it is now. Null when it has been forgotten since, or is no longer the viewer’s to see.' }) case: object | null;
}

@InputType('ModerationWordRuleInput')
export class ModerationWordRuleInput {
  @Field(() => String, { description: 'A word or a phrase, as whole words, whatever its case, accents and disguises (c4s1no); with * at its end, the beginning of a word. Up to 128 bytes.' }) word: string;
  @Field(() => ModerationAction) action: RuleAction;
}
@InputType('ModerationLinkRuleInput')
export class ModerationLinkRuleInput {
  @Field(() => ModerationAction) action: RuleAction;
  @Field(() => [String], { nullable: true, description: 'Hosts that links may lead to, with all below them. At most 200.' }) allowedHosts?: string[] | null;
}
@InputType('ModerationFloodRuleInput')
export class ModerationFloodRuleInput {
  @Field(() => Int, { description: 'One member sends at most so many, 1 to 100,' }) messages: number;
  @Field(() => Int, { description: 'within so many seconds, 1 to 3,600.' }) seconds: number;
  @Field(() => ModerationAction) action: RuleAction;
}
@InputType('ModerationClassifierRuleInput')
export class ModerationClassifierRuleInput {
  @Field(() => ModerationAction) action: RuleAction;
  @Field(() => Float, { description: '0.5 (more is found) to 0.99.' }) threshold: number;
}
@InputType('ModerationStrikeRuleInput')
export class ModerationStrikeRuleInput {
  @Field(() => Int, { description: 'At each so many strikes of 90 days, 1 to 20, a member is silenced' }) limit: number;
  @Field(() => Int, { description: 'for so many seconds, up to a year.' }) muteSeconds: number;
}
@InputType('ModerationRulesInput', { description: 'All of them: what is left out is no rule.' })
export class ModerationRulesInput {
  @Field(() => [ModerationWordRuleInput], { nullable: true, description: 'At most 500.' }) words?: ModerationWordRuleInput[] | null;
  @Field(() => ModerationLinkRuleInput, { nullable: true }) links?: ModerationLinkRuleInput | null;
  @Field(() => ModerationFloodRuleInput, { nullable: true }) flood?: ModerationFloodRuleInput | null;
  @Field(() => ModerationClassifierRuleInput, { nullable: true }) classifier?: ModerationClassifierRuleInput | null;
  @Field(() => ModerationStrikeRuleInput, { nullable: true }) strikes?: ModerationStrikeRuleInput | null;
}

@InputType('UpdateModerationRulesInput', { description: 'Of a chat, or of all chats of a group.' })
export class UpdateModerationRulesInput {
  @Field(() => ID, { nullable: true }) chatId?: string | null;
  @Field(() => ID, { nullable: true }) groupId?: string | null;
  @Field(() => ModerationRulesInput, { nullable: true, description: 'Null: none.' }) rules?: ModerationRulesInput | null;
}
@ObjectType('UpdateModerationRulesPayload')
export class UpdateModerationRulesPayload {
  @Field(() => ModerationRulesType, { nullable: true }) rules: object | null;
}

@InputType('DecideModerationCaseInput')
export class DecideModerationCaseInput {
  @Field(() => ID) caseId: string;
  @Field(() => ModerationDecision) decision: 'APPROVE' | 'REJECT';
  @Field(() => String, { nullable: true, description: 'Whom it is about reads it. Up to 2 KiB.' }) note?: string | null;
  @Field(() => Boolean, { nullable: true, description: 'With REJECT, in a group chat: it counts against them for 90 days.' }) strike?: boolean | null;
  @Field(() => Int, { nullable: true, description: 'With REJECT, in a group chat: they may send nothing for so long.' }) silenceSeconds?: number | null;
  @Field(() => Int, { nullable: true, description: 'With REJECT, in a group chat: they are kept out for so long.' }) banSeconds?: number | null;
  @Field(() => Boolean, { nullable: true, description: 'With REJECT, for moderators of the place: as suspendUser.' }) suspend?: boolean | null;
  @Field(() => Int, { nullable: true, description: 'With suspend: for so long, up to a year.' }) suspendSeconds?: number | null;
}
@ObjectType('DecideModerationCasePayload')
export class DecideModerationCasePayload {
  @Field(() => ModerationCaseType) case: object;
}

@InputType('AppealModerationInput')
export class AppealModerationInput {
  @Field(() => ID) caseId: string;
  @Field(() => String, { description: 'Up to 2 KiB.' }) text: string;
}
@ObjectType('AppealModerationPayload')
export class AppealModerationPayload {
  @Field(() => ModerationCaseType) case: object;
}

@InputType()
abstract class OfMemberInput {
  @Field(() => ID) chatId: string;
  @Field(() => ID) userId: string;
}
@InputType('SilenceChatMemberInput')
export class SilenceChatMemberInput extends OfMemberInput {
  @Field(() => Int, { description: 'Up to a year; 0: they are heard again.' }) seconds: number;
  @Field(() => String, { description: 'For the audit log. Up to 2 KiB.' }) reason: string;
}
@ObjectType('SilenceChatMemberPayload')
export class SilenceChatMemberPayload {
  @Field(() => ChatMemberType) member: object;
}
@InputType('BanFromChatInput')
export class BanFromChatInput extends OfMemberInput {
  @Field(() => Int, { nullable: true, description: 'Up to a year; none: for good.' }) seconds?: number | null;
  @Field(() => String, { description: 'Up to 2 KiB.' }) reason: string;
}
@ObjectType('BanFromChatPayload')
export class BanFromChatPayload {
  @Field(() => ModerationBanType) ban: object;
}
@InputType('LiftChatBanInput')
export class LiftChatBanInput extends OfMemberInput {}
@ObjectType('LiftChatBanPayload')
export class LiftChatBanPayload {
  @Field(() => UserType) user: object;
}
