import type { World } from './world.js';

export interface RawAnswer {
  status: number;
  headers: Headers;
  text: string;
  /** Undefined when the body is not JSON. */
  json: { data?: Record<string, unknown> | null; errors?: { message: string; extensions: { code: string; [name: string]: unknown } }[]; extensions?: Record<string, unknown> } | undefined;
  /** The code of the first error. */
  code: string | undefined;
}

/** Requests as no SDK would send them. */
export async function raw(world: World, path: string, init: RequestInit = {}, node = 0): Promise<RawAnswer> {
  const response = await fetch(`${world.apps[node]!.url}${path}`, init);
  const text = await response.text();
  let json: RawAnswer['json'];
  try {
    json = JSON.parse(text) as RawAnswer['json'];
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json, code: json?.errors?.[0]?.extensions.code };
}

/** A POST of one operation. */
export function post(world: World, body: unknown, headers: Record<string, string> = {}, node = 0): Promise<RawAnswer> {
  return raw(world, '/graphql', { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) }, node);
}
