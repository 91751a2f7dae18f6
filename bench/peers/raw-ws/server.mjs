// The least that a chat server in Node can do: one room a connection, one INSERT a message, one frame a member. No GraphQL, no resume,
// no bound on what waits for a slow reader. MODE=coalesced gathers the frames of 2 ms into one write for each socket.
import { createSecretKey } from 'node:crypto';
import { createServer } from 'node:http';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { Sender, WebSocketServer } from 'ws';

const { PORT, DATABASE_URL, TOKEN_SECRET, MODE } = process.env;
const COALESCE_MS = 2;
const key = createSecretKey(Buffer.from(TOKEN_SECRET));
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
const rooms = new Map();

function roomOf(id) {
  let room = rooms.get(id);
  if (!room) rooms.set(id, (room = { members: new Set(), waiting: null }));
  return room;
}

function broadcast(room, message) {
  const bytes = Buffer.from(JSON.stringify(message));
  if (MODE !== 'coalesced') {
    for (const member of room.members) member.send(bytes, { binary: false });
    return;
  }
  if (!room.waiting) {
    room.waiting = [];
    setTimeout(() => {
      const together = room.waiting.length === 1 ? room.waiting[0] : Buffer.concat(room.waiting);
      room.waiting = null;
      for (const member of room.members) member._socket.write(together);
    }, COALESCE_MS);
  }
  room.waiting.push(Buffer.concat(Sender.frame(bytes, { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true })));
}

const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', async (socket, request) => {
  const parameters = new URL(request.url, 'http://peer').searchParams;
  const chatId = Number(parameters.get('room'));
  let userId;
  try {
    userId = Number(jwt.verify(parameters.get('token'), key, { algorithms: ['HS256'] }).sub);
  } catch {
    return socket.close(4401);
  }
  const { rows } = await pool.query({ name: 'member', text: 'select u.name from chat_members m join users u on u.id = m.user_id where m.chat_id = $1 and m.user_id = $2', values: [chatId, userId] });
  if (!rows.length) return socket.close(4403);
  const sender = { id: userId, name: rows[0].name };
  const room = roomOf(chatId);
  room.members.add(socket);
  socket.on('close', () => room.members.delete(socket));
  socket.on('message', async (data) => {
    const { text } = JSON.parse(data);
    const inserted = await pool.query({ name: 'insert', text: 'insert into messages (chat_id, sender_id, body) values ($1, $2, $3) returning id, created_at', values: [chatId, userId, text] });
    broadcast(room, { id: inserted.rows[0].id, text, createdAt: inserted.rows[0].created_at, sender, reactions: [] });
  });
  socket.send('ready');
});
server.listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
