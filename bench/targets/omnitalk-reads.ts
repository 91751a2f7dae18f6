import { encodeId, newId } from '../../src/lib/ids.js';
import type { Ground } from '../lib/ground.js';
import { READS } from '../scenarios/reads.js';
import { OmniTalkTarget, PAGE_OF_50 } from './omnitalk.js';
import type { ReadsTarget } from './target.js';

const MEMBERS = 20;

interface Answer {
  data: { chat: { messages: { edges: { node: { id: string; sender: { name: string }; reactions: { count: number }[] } }[] } } };
}

/** Chats with a history, made by SQL; one person is in all of them and reads. */
export async function startReads(ground: Ground): Promise<ReadsTarget> {
  const target = await OmniTalkTarget.start(ground);
  const people = await target.people(500);
  const reader = people[0]!;
  const chats = Array.from({ length: READS.chats }, newId);
  const { sql } = ground;
  await sql.query(
    `insert into chats (id, kind, title, last_seq, member_count, last_message_at) select id, 'GROUP', 'Chat ' || n, $2, $3, now() from unnest($1::uuid[]) with ordinality c(id, n)`,
    [chats, READS.messages, MEMBERS],
  );
  await sql.query(`insert into streams (id) select 'chat:' || id from unnest($1::uuid[]) c(id)`, [chats]);
  await sql.query(
    `insert into chat_members (chat_id, user_id, role) select c.id, ($2::uuid[])[case when m = 0 then 1 else 2 + (c.n * 7 + m) % ($3 - 1) end], case when m = 0 then 'OWNER' else 'MEMBER' end
     from unnest($1::uuid[]) with ordinality c(id, n), generate_series(0, $4 - 1) m`,
    [chats, people.map((person) => person.userId), people.length, MEMBERS],
  );
  await sql.query(
    `insert into messages (chat_id, seq, sender_id, kind, created_at, text, reactions)
     select c.id, s, ($2::uuid[])[2 + (c.n * 7 + 1 + s % ($3 - 1)) % ($4 - 1)], 'TEXT', now() - make_interval(mins => $5 - s),
            'message ' || s || ' with some words, so that it is about a hundred characters long, as lines of chat are', '[["👍", 3], ["❤️", 1]]'
     from unnest($1::uuid[]) with ordinality c(id, n), generate_series(1, $5) s`,
    [chats, people.map((person) => person.userId), MEMBERS, people.length, READS.messages],
  );
  await sql.query('vacuum analyze');
  return {
    server: target.server,
    port: target.port,
    path: '/graphql',
    headers: { authorization: `Bearer ${reader.token}` },
    bodies: chats.map((id) => JSON.stringify({ query: PAGE_OF_50, variables: { id: encodeId('Chat', id) } })),
    count(body) {
      const nodes = (JSON.parse(body.toString()) as Answer).data.chat.messages.edges.map((edge) => edge.node);
      return { messages: new Set(nodes.map((node) => node.id)).size, senders: nodes.filter((node) => node.sender.name).length, reactions: nodes.flatMap((node) => node.reactions).length };
    },
    stop: () => target.stop(),
  };
}
