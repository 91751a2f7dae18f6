import type { BotReplyEvent } from '../../sdk/client.js';
import { within, type Person, type World } from './world.js';

/** Reads what bots write in answer to a message until one has ended. */
export async function replyTo(person: Person, messageId: string): Promise<BotReplyEvent[]> {
  const stream = person.client.botReply(messageId);
  const told: BotReplyEvent[] = [];
  try {
    do told.push((await within(stream.next(), 'a bot’s answer', 30_000)).value as BotReplyEvent);
    while (told.at(-1)!.state === 'WRITING');
  } finally {
    await stream.return();
  }
  return told;
}

export const messageOf = async (person: Person, chatId: string, seq: number) => (await person.api.messageBySeq({ chatId, seq })).chat!.message!;
export const seqOf = (id: string): number => Number(id.split('_')[2]);

/** Says something for which a bot has an answer, and waits for that. */
export async function ask(world: World, person: Person, chatId: string, text: string) {
  const message = await world.say(person, chatId, text);
  const told = await replyTo(person, message.id);
  const last = told.at(-1)!;
  return { message, told, last, answer: last.answerId === null ? null : await messageOf(person, chatId, seqOf(last.answerId)) };
}

/** A bot that answers by what it was given to read. */
export async function makeBot(world: World, owner: Person, handle: string, faq: { question: string; answer: string }[]): Promise<{ botId: string; userId: string }> {
  const { bot } = (await owner.api.createBot({ input: { handle, displayName: handle[0]!.toUpperCase() + handle.slice(1), engine: 'BUILT_IN', idempotencyKey: world.key() } })).createBot;
  await owner.api.addBotKnowledge({ input: { botId: bot.id, faq, idempotencyKey: world.key() } });
  return { botId: bot.id, userId: bot.user.id };
}
