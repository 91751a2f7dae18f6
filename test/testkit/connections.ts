import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One end of a TCP connection, by its ports. */
export interface Connection {
  local: number;
  remote: number;
}

const LISTENING = '0A';
const portOf = (address: string): number => Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16);

/** The TCP connections that a process of this host holds, as the kernel has them (proc_pid_net(5)). */
export function connectionsOf(pid: number): Connection[] {
  const known = new Map<string, Connection>();
  for (const table of ['tcp', 'tcp6']) {
    for (const line of readFileSync(`/proc/${pid}/net/${table}`, 'latin1').trim().split('\n').slice(1)) {
      const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/) as string[];
      if (state !== LISTENING) known.set(inode!, { local: portOf(local!), remote: portOf(remote!) });
    }
  }
  return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      const connection = known.get(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1] ?? '');
      return connection ? [connection] : [];
    } catch {
      return []; // closed while we were looking
    }
  });
}
