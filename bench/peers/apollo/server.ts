// What a capable team builds first from the same parts: Apollo Server, type-graphql, TypeORM entities, DataLoader, and subscriptions of
// graphql-ws over an in-process PubSub. Every subscriber is an execution of its own.
import 'reflect-metadata';
import { createSecretKey } from 'node:crypto';
import { createServer } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import { createPubSub } from '@graphql-yoga/subscription';
import DataLoader from 'dataloader';
import express from 'express';
import { useServer } from 'graphql-ws/use/ws';
import jwt from 'jsonwebtoken';
import { Arg, Authorized, buildSchema, Ctx, Field, FieldResolver, ID, Int, Mutation, ObjectType, Query, Resolver, Root, Subscription } from 'type-graphql';
import { Column, DataSource, Entity, In, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { WebSocketServer } from 'ws';

const { PORT, DATABASE_URL, TOKEN_SECRET } = process.env;
const key = createSecretKey(Buffer.from(TOKEN_SECRET));
const userOf = (token: string): number => Number(jwt.verify(token, key, { algorithms: ['HS256'] }).sub);

@ObjectType()
@Entity('users')
class User {
  @Field(() => ID) @PrimaryColumn('int') id: number;
  @Field(() => String) @Column('text') name: string;
}

@ObjectType()
class ReactionCount {
  @Field(() => String) emoji: string;
  @Field(() => Int) count: number;
}

@ObjectType()
@Entity('messages')
class Message {
  @Field(() => ID) @PrimaryGeneratedColumn({ type: 'bigint' }) id: string;
  @Column('int', { name: 'chat_id' }) chatId: number;
  @Column('int', { name: 'sender_id' }) senderId: number;
  @Field(() => String) @Column('text', { name: 'body' }) text: string;
  @Field(() => Date) @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt: Date;
}

@ObjectType()
@Entity('chats')
class Chat {
  @Field(() => ID) @PrimaryColumn('int') id: number;
  @Field(() => String) @Column('text') title: string;
}

const source = new DataSource({ type: 'postgres', url: DATABASE_URL, entities: [User, Message, Chat], poolSize: 10, synchronize: false });
await source.initialize();

interface Context {
  userId: number;
  users: DataLoader<number, User>;
  reactions: DataLoader<string, ReactionCount[]>;
}
function contextFor(userId: number): Context {
  return {
    userId,
    users: new DataLoader(async (ids) => {
      const byId = new Map((await source.getRepository(User).findBy({ id: In([...ids]) })).map((user) => [user.id, user]));
      return ids.map((id) => byId.get(id));
    }),
    reactions: new DataLoader(async (ids) => {
      const rows = await source.query('select message_id, emoji, count(*)::int as count from reactions where message_id = any($1) group by 1, 2', [[...ids]]);
      const byMessage = new Map<string, ReactionCount[]>();
      for (const row of rows) byMessage.set(row.message_id, [...(byMessage.get(row.message_id) ?? []), row]);
      return ids.map((id) => byMessage.get(String(id)) ?? []);
    }),
  };
}

const pubSub = createPubSub<Record<string, [Message]>>();

@Resolver(() => Chat)
class ChatResolver {
  @Authorized()
  @Query(() => Chat, { nullable: true })
  chat(@Arg('id', () => ID) id: string) {
    return source.getRepository(Chat).findOneBy({ id: Number(id) });
  }
  @FieldResolver(() => [Message])
  messages(@Root() chat: Chat, @Arg('last', () => Int) last: number) {
    return source.getRepository(Message).find({ where: { chatId: chat.id }, order: { id: 'DESC' }, take: last });
  }
}

@Resolver(() => Message)
class MessageResolver {
  @FieldResolver(() => User)
  sender(@Root() message: Message, @Ctx() context: Context) {
    return context.users.load(message.senderId);
  }
  @FieldResolver(() => [ReactionCount])
  reactions(@Root() message: Message & { isNew?: boolean }, @Ctx() context: Context) {
    return message.isNew ? [] : context.reactions.load(message.id);
  }
  @Authorized()
  @Mutation(() => Message)
  async sendMessage(@Arg('chatId', () => ID) chatId: string, @Arg('text', () => String) text: string, @Ctx() context: Context) {
    const repository = source.getRepository(Message);
    const message = await repository.save(repository.create({ chatId: Number(chatId), senderId: context.userId, text }));
    Object.assign(message, { isNew: true });
    pubSub.publish(`chat ${chatId}`, message);
    return message;
  }
  @Subscription(() => Message, { topics: ({ args }) => `chat ${args['chatId']}` })
  messageAdded(@Root() message: Message, @Arg('chatId', () => ID) _chatId: string): Message {
    return message;
  }
}

const schema = await buildSchema({ resolvers: [ChatResolver, MessageResolver], pubSub: pubSub as never, validate: false, authChecker: ({ context }) => !!(context as Context).userId });
const app = express();
const server = createServer(app);
useServer(
  {
    schema,
    onConnect: (connection) => {
      try {
        Object.assign(connection.extra, { own: contextFor(userOf(connection.connectionParams['token'] as string)) });
        return true;
      } catch {
        return false;
      }
    },
    context: (connection) => (connection.extra as unknown as { own: Context }).own,
  },
  new WebSocketServer({ server, path: '/graphql' }),
);
const apollo = new ApolloServer<Context>({ schema, introspection: false, csrfPrevention: true });
await apollo.start();
app.use('/graphql', express.json(), expressMiddleware(apollo, { context: async ({ req }) => contextFor(userOf((req.headers.authorization ?? '').slice('Bearer '.length))) }));
server.listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
