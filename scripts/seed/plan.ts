import { Random } from './random.js';
import { ABOUTS, ANSWERS, EMOJI, FIRST_NAMES, GOODS, LAST_NAMES, PLACES, PROFESSIONS, SMALL_TALK, TOPICS, type Topic } from './words.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Each has a hundred numbers that are kept for fiction: 555-0100 to 555-0199. */
const AREAS = [202, 212, 303, 312, 415];

export interface Size {
  people: number;
  groups: number;
  directChats: number;
  days: number;
}
/** The log of events is kept for 30 days, so all that happens lies within. */
export const FULL: Size = { people: 300, groups: 20, directChats: 320, days: 28 };

export interface PersonPlan {
  displayName: string;
  handle: string;
  email: string;
  phone: string;
  about: string | null;
  /** Whom they belong with: the number of a topic. Nothing in the database says it; who learns from what they do finds it. */
  community: number;
  interests: string[];
  profession: string | null;
  place: string | null;
  /** Places in `WorldPlan.goods` of what they like. */
  likes: number[];
}

/** People are numbers: places in `WorldPlan.people`. Times are milliseconds from the world's beginning. */
export interface GroupPlan {
  at: number;
  topic: Topic;
  visibility: 'PUBLIC' | 'PRIVATE' | 'SECRET';
  owner: number;
  members: number[];
}
export interface ChatPlan {
  at: number;
  kind: 'DIRECT' | 'GROUP';
  title: string | null;
  /** Its place in `WorldPlan.groups`; null for a chat of its own. */
  group: number | null;
  /** The chat that its group is made with. */
  isFirst: boolean;
  owner: number;
  others: number[];
  steps: ChatStep[];
}

/** What happens in one chat, in order. `message` is the place among the chat's said ones. */
export type ChatStep =
  | { kind: 'say'; at: number; by: number; text: string | null; replyTo?: number; thread?: number; poll?: { question: string; options: string[] } }
  | { kind: 'react'; at: number; by: number; message: number; emoji: string }
  | { kind: 'vote'; at: number; by: number; message: number; option: number }
  | { kind: 'edit'; at: number; by: number; message: number; text: string }
  | { kind: 'pin'; at: number; by: number; message: number };

export interface WorldPlan {
  people: PersonPlan[];
  /** Whom each person has in their phone book. */
  contacts: number[][];
  groups: GroupPlan[];
  chats: ChatPlan[];
  /** What the corner shop sells. */
  goods: { title: string; topic: string }[];
  length: number;
}

/** The whole world of one seed number: the same number gives the same people, chats and words. */
export function planWorld(seed: number, size: Size): WorldPlan {
  const random = new Random(seed);
  const communities = Math.min(TOPICS.length, size.groups);
  const goods = TOPICS.slice(0, communities).flatMap(({ name }) => GOODS[name]!.map((title) => ({ title, topic: name })));
  const people = planPeople(random, size.people, communities, goods);
  const everyone = people.map((_, index) => index);
  const length = size.days * DAY;
  const fellows = Array.from({ length: communities }, (_, community) => everyone.filter((person) => people[person]!.community === community));
  /** Most of them of one community. */
  const mostly = (community: number, count: number): number[] => [...new Set([...random.some(fellows[community]!, Math.ceil(count * 0.85)), ...random.some(everyone, Math.floor(count * 0.15))])];
  const contacts = everyone.map((person) => mostly(people[person]!.community, random.between(4, 14)).filter((other) => other !== person));
  const groups = Array.from({ length: size.groups }, (_, index): GroupPlan => {
    const members = withDemo(mostly(index % communities, random.between(8, Math.min(45, size.people - 2))), index < 4);
    return { at: random.between(0, Math.floor(length / 4)), topic: TOPICS[index % TOPICS.length]!, visibility: random.pick(['PUBLIC', 'PUBLIC', 'PRIVATE', 'SECRET']), owner: members[0]!, members: members.slice(1) };
  });
  const chats: ChatPlan[] = [];
  groups.forEach((group, index) => {
    const others = group.members;
    const titles = ['General', ...random.some(group.topic.titles, random.between(1, group.topic.titles.length))];
    titles.forEach((title, place) => {
      const chat = { at: group.at + (place + 1) * HOUR, kind: 'GROUP' as const, title, group: index, isFirst: place === 0, owner: group.owner, others };
      chats.push(converse(random, people, length, chat, group.topic));
    });
  });
  chats.push(converse(random, people, length, direct(0, 0, 1), null));
  const pairs = new Set(['0 1']);
  while (pairs.size < size.directChats) {
    // Most talk to people they know; the two whose logins are printed have much to show.
    const one = random.chance(0.08) ? random.between(0, 1) : random.pick(everyone);
    const other = random.chance(0.8) ? random.pick(contacts[one]!) : random.pick(everyone);
    const key = [one, other].sort((a, b) => a - b).join(' ');
    if (one === other || pairs.has(key)) continue;
    pairs.add(key);
    chats.push(converse(random, people, length, direct(random.between(0, Math.floor(length * 0.8)), one, other), null));
  }
  return { people, contacts, groups, chats, goods, length };
}

const direct = (at: number, owner: number, other: number): Omit<ChatPlan, 'steps'> => ({ at, kind: 'DIRECT', title: null, group: null, isFirst: false, owner, others: [other] });

/** The first two people are those whose logins are printed: they are in the first groups. */
const withDemo = (members: number[], wanted: boolean): number[] => (wanted ? [...new Set([0, 1, ...members])] : members);

function planPeople(random: Random, count: number, communities: number, goods: WorldPlan['goods']): PersonPlan[] {
  const handles = new Set<string>();
  return Array.from({ length: count }, (_, index) => {
    const [first, last] = index === 0 ? ['Maya', 'Lindqvist'] : index === 1 ? ['Tom', 'Okafor'] : [random.pick(FIRST_NAMES), random.pick(LAST_NAMES)];
    let handle = index < 2 ? first!.toLowerCase() : `${first}.${last}`.toLowerCase();
    while (handles.has(handle)) handle = `${first}${last![0]}${random.between(1, 99)}`.toLowerCase();
    handles.add(handle);
    const community = index % communities;
    const topic = TOPICS[community]!;
    const own = goods.flatMap((good, place) => (good.topic === topic.name ? [place] : []));
    return {
      displayName: `${first} ${last}`,
      handle,
      email: `${handle}@example.com`,
      phone: `+1${AREAS[Math.floor(index / 100)]}55501${String(index % 100).padStart(2, '0')}`,
      about: random.chance(0.4) ? random.pick(ABOUTS) : null,
      community,
      interests: random.chance(0.85) ? [...topic.tags, ...(random.chance(0.2) ? [random.pick(random.pick(TOPICS).tags)] : [])] : [],
      profession: random.chance(0.3) ? random.pick(PROFESSIONS) : null,
      place: random.chance(0.3) ? random.pick(PLACES) : null,
      likes: [...new Set([...random.some(own, random.between(3, 5)), random.between(0, goods.length - 1)])],
    };
  });
}

/** Fills a chat with bursts of talk over the weeks, in waking hours. */
function converse(random: Random, people: PersonPlan[], length: number, chat: Omit<ChatPlan, 'steps'>, topic: Topic | null): ChatPlan {
  const members = [chat.owner, ...chat.others];
  const steps: ChatStep[] = [];
  const said: { by: number; isRoot: boolean }[] = [];
  const bursts = topic ? random.between(5, 13) : random.between(1, 4);
  const starts = Array.from({ length: bursts }, () => wakingTime(random, chat.at, length)).sort((a, b) => a - b);
  let at = chat.at;
  for (const start of starts) {
    at = Math.max(at, start);
    const speakers = random.some(members, Math.min(members.length, random.between(2, 6)));
    for (let left = random.between(3, topic ? 14 : 9); left > 0; left--) {
      at += random.between(8_000, 4 * MINUTE);
      if (at > length) return { ...chat, steps };
      const by = random.pick(speakers);
      const newest = said.length - 1;
      const place = said.length;
      const rootPlace = said.findLastIndex((message) => message.isRoot);
      if (topic && random.chance(0.012)) {
        steps.push({ kind: 'say', at, by, text: null, poll: topic.poll });
        said.push({ by, isRoot: true });
        for (const voter of random.some(members, random.between(2, Math.min(12, members.length)))) {
          steps.push({ kind: 'vote', at: (at += random.between(1_000, 20_000)), by: voter, message: place, option: random.between(0, topic.poll.options.length - 1) });
        }
        continue;
      }
      const text = lineFor(random, people, members, topic, left, by);
      const inThread = topic !== null && rootPlace >= 0 && random.chance(0.06);
      const replies = !inThread && newest >= 0 && random.chance(0.14);
      steps.push({
        kind: 'say', at, by, text,
        ...(inThread ? { thread: rootPlace } : {}),
        ...(replies ? { replyTo: said.findLastIndex((message) => message.isRoot) } : {}),
      });
      said.push({ by, isRoot: !inThread });
      if (random.chance(0.02)) steps.push({ kind: 'edit', at: (at += 30_000), by, message: place, text: `${text} (${random.pick(['sorry, typo', 'updated', 'see above'])})` });
      if (random.chance(topic ? 0.12 : 0.08)) {
        for (const reactor of random.some(members.filter((member) => member !== by), random.between(1, topic ? 5 : 1))) {
          steps.push({ kind: 'react', at: (at += random.between(500, 5_000)), by: reactor, message: place, emoji: random.pick(EMOJI) });
        }
      }
      if (topic && !inThread && random.chance(0.01)) steps.push({ kind: 'pin', at: (at += 1_000), by: chat.owner, message: place });
    }
  }
  return { ...chat, steps };
}

function lineFor(random: Random, people: PersonPlan[], members: number[], topic: Topic | null, left: number, by: number): string {
  const line = left % 2 || random.chance(0.35) ? random.pick(topic && random.chance(0.75) ? topic.lines : SMALL_TALK) : random.pick(ANSWERS);
  const other = random.pick(members);
  return topic && other !== by && random.chance(0.06) ? `@${people[other]!.handle} ${line}` : line;
}

function wakingTime(random: Random, from: number, to: number): number {
  const day = random.between(Math.floor(from / DAY), Math.floor(to / DAY) - 1);
  return Math.max(from, day * DAY + random.between(7 * HOUR, 22 * HOUR));
}
