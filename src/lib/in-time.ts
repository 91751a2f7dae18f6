/**
 * What `work` comes to, or an error with this message after so many milliseconds. The work itself can't be called off: what it still comes to by then
 * is nobody's, also its failure.
 */
export async function inTime<Result>(work: Promise<Result>, ms: number, message = `it took longer than ${ms} ms`): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error(message)), ms)));
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
