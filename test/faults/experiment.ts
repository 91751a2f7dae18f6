import type { Stage } from '../testkit/stage.js';

/** Something bad that is done to a stage while it carries traffic. It leaves everything as it was, or well in another way. */
export interface Experiment {
  name: string;
  run(stage: Stage): Promise<void>;
}

/** How long a machine that is busy with something else may take. */
export const PATIENCE_MS = 60_000;

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
export const random = (below: number) => Math.floor(Math.random() * below);

/** Asks until it is answered. */
export async function again<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === 100) throw error;
      await pause(100);
    }
  }
}

export async function figure(stage: Stage, name: string, server: 0 | 1 = 0): Promise<number> {
  const text = await (await fetch(stage.servers[server].url.replace('/graphql', '/metrics'), { headers: { connection: 'close' } })).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}
