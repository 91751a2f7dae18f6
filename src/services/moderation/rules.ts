import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { chatStream } from '../../events/catalogue.js';
import { invalidInput } from '../../lib/errors.js';
import { boundedInt, cleanText, distinct } from '../../lib/validate.js';
import { assertRunsGroup } from '../../policies/group-policy.js';
import { foldedWord, type ModerationRules, type RuleAction } from '../../policies/moderation-policy.js';
import type { Actor } from '../actor.js';
import { audit } from '../audit.js';
import { bumpAcl, lockChat, readChatAccess } from '../chat-access.js';
import { lockGroup, readGroupAccess, tellOfGroup, toBeTold } from '../group-membership.js';
import { assertModeratesHere, MAX_SANCTION_SECONDS } from './sanctions.js';

const MAX_WORDS = 500;
const MAX_WORD_BYTES = 128;
const MAX_HOSTS = 200;
const MAX_FLOOD_MESSAGES = 100;
const MAX_FLOOD_SECONDS = 3_600;
const MAX_STRIKES = 20;
const HOST = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/** Exactly one of the two. */
export interface RulesOf {
  chatId: string | null;
  groupId: string | null;
}
export interface NewRules {
  words?: { word: string; action: RuleAction }[] | null;
  links?: { action: RuleAction; allowedHosts?: string[] | null } | null;
  flood?: { messages: number; seconds: number; action: RuleAction } | null;
  classifier?: { action: RuleAction; threshold: number } | null;
  strikes?: { limit: number; muteSeconds: number } | null;
}

/** What chats, and all chats of a group, let be said. */
export class ModerationRulesService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Null: there are none. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (a direct chat), INVALID_INPUT. */
  async read(actor: Actor, of: RulesOf): Promise<ModerationRules | null> {
    const [table, id] = theOne(of);
    if (table === 'chats') assertModeratesHere(actor, await readChatAccess(this.sql, id, actor.userId));
    else assertRunsGroup(await readGroupAccess(this.sql, id, actor.userId));
    const [row] = await this.sql<{ moderation: ModerationRules | null }>(READ[table], [id]);
    return row!.moderation;
  }

  /** Replaces the rules; null takes them away. They hold for what is sent from the commit on. Errors: as those of reading. */
  async set(actor: Actor, of: RulesOf, given: NewRules | null): Promise<ModerationRules | null> {
    const [table, id] = theOne(of);
    const rules = given && cleanRules(given);
    const value = rules && JSON.stringify(rules);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'updateModerationRules' }, async (tx) => {
      if (table === 'chats') assertModeratesHere(actor, await lockChat(tx.sql, id, actor.userId));
      else assertRunsGroup(await lockGroup(tx.sql, id, actor.userId));
      const moved = await tx.sql(table === 'chats' ? 'update chats set moderation = $2 where id = $1 and moderation is distinct from $2::jsonb returning 1' : 'update groups set moderation = $2 where id = $1 and moderation is distinct from $2::jsonb returning 1', [id, value]);
      if (!moved.length) return null;
      if (table === 'chats') {
        await bumpAcl(tx.sql, id);
        tx.append(chatStream(id), { kind: 'chat.updated' });
      } else {
        await tx.sql('select from chats where group_id = $1 order by id for update', [id]);
        await tx.sql('update chats set acl_version = acl_version + 1 where group_id = $1', [id]);
        tellOfGroup(tx, id, await toBeTold(tx, id, 'ADMINS'));
      }
      const kinds = rules ? [...(rules.words.length ? ['words'] : []), ...(['links', 'flood', 'classifier', 'strikes'] as const).filter((kind) => rules[kind])] : [];
      await audit(tx, { actorId: actor.userId, action: 'MODERATION_RULES_SET', subject: { type: table === 'chats' ? 'Chat' : 'Group', id }, details: { rules: kinds, words: rules?.words.length ?? 0 } });
      return null;
    });
    return rules;
  }
}

const READ = { chats: 'select moderation from chats where id = $1', groups: 'select moderation from groups where id = $1' } as const;

function theOne({ chatId, groupId }: RulesOf): ['chats' | 'groups', string] {
  if ((chatId === null) === (groupId === null)) throw invalidInput('chatId', 'Give either chatId or groupId.');
  return chatId === null ? ['groups', groupId!] : ['chats', chatId];
}

/** Throws INVALID_INPUT. */
export function cleanRules({ words, links, flood, classifier, strikes }: NewRules): ModerationRules {
  if (words && words.length > MAX_WORDS) throw invalidInput('rules.words', `There are at most ${MAX_WORDS} words.`);
  const cleaned = (words ?? []).map(({ word, action }) => {
    const text = cleanText(word, { field: 'rules.words.word', maxBytes: MAX_WORD_BYTES });
    if (foldedWord(text) === null) throw invalidInput('rules.words.word', 'A word has letters or digits in it.');
    return { word: text, action };
  });
  const hosts = distinct((links?.allowedHosts ?? []).map((host) => host.toLowerCase()), 'rules.links.allowedHosts', MAX_HOSTS);
  if (!hosts.every((host) => HOST.test(host))) throw invalidInput('rules.links.allowedHosts', 'A host is a name such as example.com.');
  if (classifier && !(classifier.threshold >= 0.5 && classifier.threshold <= 0.99)) throw invalidInput('rules.classifier.threshold', 'threshold is from 0.5 to 0.99.');
  return {
    words: cleaned,
    links: links ? { action: links.action, allowedHosts: hosts } : null,
    flood: flood ? { messages: boundedInt(flood.messages, 'rules.flood.messages', 1, MAX_FLOOD_MESSAGES), seconds: boundedInt(flood.seconds, 'rules.flood.seconds', 1, MAX_FLOOD_SECONDS), action: flood.action } : null,
    classifier: classifier ? { action: classifier.action, threshold: classifier.threshold } : null,
    strikes: strikes ? { limit: boundedInt(strikes.limit, 'rules.strikes.limit', 1, MAX_STRIKES), muteSeconds: boundedInt(strikes.muteSeconds, 'rules.strikes.muteSeconds', 1, MAX_SANCTION_SECONDS) } : null,
  };
}
