export const SCHEDULE_STEPS = ['HOURS', 'DAY', 'WEEK'] as const;
export const WEEKDAYS = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** Every so many hours, or at a time of the clocks of a zone, each day or on some days of the week. */
export interface ScheduleRule {
  every: (typeof SCHEDULE_STEPS)[number];
  hours: number | null;
  /** HH:MM. */
  at: string | null;
  weekdays: Weekday[];
  zone: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clocks of a zone show, as if they were those of UTC. */
function wallOf(zone: string, at: number): number {
  let format = formats.get(zone);
  if (!format) formats.set(zone, (format = new Intl.DateTimeFormat('en-US', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })));
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part['year']!, part['month']! - 1, part['day'], part['hour'], part['minute'], part['second']);
}

/** When the clocks of a zone show this: the first time, where they are set back; as much later as they were set forward, where they skip it. */
function momentOf(zone: string, wall: number): number {
  const offset = (at: number) => wallOf(zone, at) - at;
  const [before, after] = [wall - offset(wall - DAY_MS), wall - offset(wall + DAY_MS)];
  return [before, after].filter((at) => wallOf(zone, at) === wall).sort((a, b) => a - b)[0] ?? before;
}

/** The first time after a moment. */
export function nextTime({ every, hours, at, weekdays, zone }: ScheduleRule, after: Date): Date {
  if (every === 'HOURS') return new Date(after.getTime() + hours! * HOUR_MS);
  const [hour, minute] = at!.split(':').map(Number);
  const today = wallOf(zone, after.getTime());
  const midnight = today - (((today % DAY_MS) + DAY_MS) % DAY_MS);
  // Yesterday's may be later than now, where clocks are set forward over midnight; a week on, each day of it has come.
  for (let day = -1; day <= 8; day++) {
    const wall = midnight + day * DAY_MS + hour! * HOUR_MS + minute! * 60_000;
    if (every === 'WEEK' && !weekdays.includes(WEEKDAYS[(new Date(wall).getUTCDay() + 6) % 7]!)) continue;
    const moment = momentOf(zone, wall);
    if (moment > after.getTime()) return new Date(moment);
  }
  throw new Error(`There is no time for ${every} at ${at} on ${weekdays.join()} in ${zone}.`);
}
