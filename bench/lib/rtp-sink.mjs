// A UDP socket in a process of its own that counts what comes, told its port and asked by IPC. Stopped by SIGSTOP it takes packets and reads none.
import { createSocket } from 'node:dgram';

let packets = 0;
const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 }, () => packets++);
socket.bind(0, '127.0.0.1', () => process.send({ port: socket.address().port }));
process.on('message', () => process.send({ packets }));
process.on('disconnect', () => process.exit(0));
