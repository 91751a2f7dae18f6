// A chat of Socket.IO rooms with its Redis adapter, as its documentation builds it, and one INSERT a message.
import { createSecretKey } from 'node:crypto';
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { createClient } from 'redis';
import { Server } from 'socket.io';

const { PORT, DATABASE_URL, REDIS_URL, TOKEN_SECRET } = process.env;
const key = createSecretKey(Buffer.from(TOKEN_SECRET));
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
const publisher = createClient({ url: REDIS_URL });
const subscriber = publisher.duplicate();
await Promise.all([publisher.connect(), subscriber.connect()]);

const server = createServer();
const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false, adapter: createAdapter(publisher, subscriber) });
io.use(async (socket, next) => {
  try {
    const { token, room } = socket.handshake.auth;
    const userId = Number(jwt.verify(token, key, { algorithms: ['HS256'] }).sub);
    const { rows } = await pool.query({ name: 'member', text: 'select u.name from chat_members m join users u on u.id = m.user_id where m.chat_id = $1 and m.user_id = $2', values: [room, userId] });
    if (!rows.length) throw new Error('no member');
    socket.data = { room, sender: { id: userId, name: rows[0].name } };
    next();
  } catch {
    next(new Error('unauthorized'));
  }
});
io.on('connection', (socket) => {
  const { room, sender } = socket.data;
  socket.join(`room ${room}`);
  socket.on('send', async ({ text }) => {
    const { rows } = await pool.query({ name: 'insert', text: 'insert into messages (chat_id, sender_id, body) values ($1, $2, $3) returning id, created_at', values: [room, sender.id, text] });
    io.to(`room ${room}`).emit('message', { id: rows[0].id, text, createdAt: rows[0].created_at, sender, reactions: [] });
  });
});
server.listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
