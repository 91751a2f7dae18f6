/** What an app may spend a minute, by the names of plans; the first is that of whoever was given none. */
export type AppPlans = ReadonlyMap<string, number>;

/** An app's plan: one that is no longer among the settings counts as the first. */
export function planOf(plans: AppPlans, name: string | null): { name: string; budget: number } {
  const [first] = plans.keys();
  const known = name !== null && plans.has(name) ? name : first!;
  return { name: known, budget: plans.get(known)! };
}
