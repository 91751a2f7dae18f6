import { OmniTalk } from '../../sdk/index.js';

const { OMNITALK_URL: url = 'http://127.0.0.1:4000/graphql', BOT_TOKEN: accessToken } = process.env;
if (!accessToken) throw new Error('BOT_TOKEN is the token that createBot has answered.');
const client = new OmniTalk({ url, accessToken });
const me = (await client.api.viewer()).viewer!.user;

for await (const event of client.inboxEvents()) {
  if (event.__typename !== 'MessageSent' || !event.message || event.message.sender.id === me.id) continue;
  const { message, chatId } = event;
  if (!message.text?.includes(`@${me.handle}`) || message.sender.kind === 'BOT') continue;
  // A repeat under the same key sends nothing twice, however often the bot starts anew.
  await client.api.sendMessage({ input: { chatId, text: message.text.replace(`@${me.handle}`, 'You said:'), replyToId: message.id, idempotencyKey: `echo-${message.id}` } });
}
