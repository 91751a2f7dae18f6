// GraphQL subscriptions with nothing around them: graphql-js, graphql-ws and an in-process PubSub, the sender carried in the event so
// that no execution asks the database. Every subscriber is an execution of its own.
import { createSecretKey } from 'node:crypto';
import { createServer } from 'node:http';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { createPubSub } from '@graphql-yoga/subscription';
import { useServer } from 'graphql-ws/use/ws';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { WebSocketServer } from 'ws';

const { PORT, DATABASE_URL, TOKEN_SECRET } = process.env;
const key = createSecretKey(Buffer.from(TOKEN_SECRET));
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
const events = createPubSub();
const rows = async (name, text, values) => (await pool.query({ name, text, values })).rows;

const typeDefs = `
  type User { id: ID! name: String! }
  type Reaction { emoji: String! count: Int! }
  type Message { id: ID! text: String! createdAt: String! sender: User! reactions: [Reaction!]! }
  type Query { ok: Boolean }
  type Mutation { sendMessage(chatId: ID!, text: String!): Message! }
  type Subscription { messageAdded(chatId: ID!): Message! }
`;

const resolvers = {
  Message: { createdAt: (message) => message.createdAt.toISOString(), reactions: () => [] },
  Mutation: {
    async sendMessage(_root, { chatId, text }, { user }) {
      const [inserted] = await rows('insert', 'insert into messages (chat_id, sender_id, body) values ($1, $2, $3) returning id, created_at', [chatId, user.id, text]);
      const message = { id: inserted.id, text, createdAt: inserted.created_at, sender: user };
      events.publish(`chat ${chatId}`, message);
      return message;
    },
  },
  Subscription: {
    messageAdded: {
      async subscribe(_root, { chatId }, { user }) {
        const member = await rows('member', 'select from chat_members where chat_id = $1 and user_id = $2', [chatId, user.id]);
        if (!member.length) throw new Error('not a member');
        return events.subscribe(`chat ${chatId}`);
      },
      resolve: (message) => message,
    },
  },
};

const server = createServer();
useServer(
  {
    schema: makeExecutableSchema({ typeDefs, resolvers }),
    context: ({ extra }) => extra.mine,
    async onConnect({ connectionParams, extra }) {
      try {
        const { sub } = jwt.verify(connectionParams.token, key, { algorithms: ['HS256'] });
        const [user] = await rows('user', 'select id, name from users where id = $1', [sub]);
        extra.mine = { user };
      } catch {
        return false;
      }
    },
  },
  new WebSocketServer({ server, path: '/graphql', perMessageDeflate: false }),
);
server.listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
