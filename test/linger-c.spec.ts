import { spawn } from 'node:child_process';
describe('c', () => { it('x', () => { spawn('sleep', ['100'], { stdio: 'inherit', detached: true }).unref(); }); after(() => { process.on('exit', () => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200_000); }); }); });
