import { OmniTalk } from '../../sdk/index.js';

const { OMNITALK_URL: url = 'http://127.0.0.1:4000/graphql', BOT_TOKEN: accessToken } = process.env;
if (!accessToken) throw new Error('BOT_TOKEN is the token that createBot has answered.');
const client = new OmniTalk({ url, accessToken });
const { api } = client;
const TEAS = ['Green', 'Black', 'Mint'];

for await (const event of client.inboxEvents()) {
  if (event.__typename === 'MessageSent' && event.message?.text?.startsWith('/order') && event.message.sender.kind === 'PERSON') {
    const rows = [TEAS.map((tea) => ({ key: tea.toLowerCase(), label: tea, payload: JSON.stringify({ tea, for: event.message!.sender.id }) }))];
    await api.sendBotCard({ input: { chatId: event.chatId, text: 'Which tea shall it be?', replyToId: event.message.id, card: { rows }, idempotencyKey: `ask-${event.message.id}` } });
  }
  if (event.__typename !== 'ButtonPressed' || !event.callback) continue;
  const { callbackId, messageId, callback } = event;
  const { tea, for: orderer } = JSON.parse(callback.payload!) as { tea: string; for: string };
  const own = callback.user.id === orderer;
  await api.answerCallback({ input: { callbackId, notice: own ? `${tea} tea is on its way.` : 'Somebody else has ordered this.', alert: !own } }).catch(() => undefined); // too late, after 15 minutes
  if (own) await api.updateBotCard({ input: { messageId, text: `${tea} tea for ${callback.user.displayName}.`, card: {} } });
}
