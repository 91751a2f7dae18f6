import type { InboxEvent, StatusInsightsPartsFragment, StatusPartsFragment } from '../../sdk/index.js';
import { feedOf } from './statuses.js';
import type { Person } from './world.js';

type StatusEvent = Extract<InboxEvent, { __typename: 'StatusPosted' | 'StatusDeleted' | 'StatusViewed' | 'StatusMarksChanged' | 'StatusMuteChanged' | 'StatusHighlightChanged' }>;

const stateOf = ({ author, id, kind, text, backgroundColor, font, file, createdAt, expiresAt }: StatusPartsFragment) =>
  ({ author: author.id, id, kind, text: text ?? null, backgroundColor: backgroundColor ?? null, font: font ?? null, file: file?.id ?? null, createdAt, expiresAt });
type Insights = Pick<StatusInsightsPartsFragment, 'viewCount' | 'reactionCount' | 'reactions'>;
/** Of what one has just posted. */
const NONE: Insights = { viewCount: 0, reactionCount: 0, reactions: [] };
const insightsOf = ({ viewCount, reactionCount, reactions }: StatusInsightsPartsFragment): Insights => ({ viewCount, reactionCount, reactions });
const sorted = <Value>(map: ReadonlyMap<string, Value>): [string, Value][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

/** What a client keeps of statuses: those of others and its own, what it has seen, whom it has muted, its highlights. */
export class StatusShelf {
  readonly #shown = new Map<string, ReturnType<typeof stateOf>>();
  readonly #marks = new Map<string, { viewedAt: string | null; reaction: string | null }>();
  readonly #insights = new Map<string, Insights>();
  readonly #muted = new Set<string>();
  readonly #highlights = new Map<string, object>();

  async read(person: Person): Promise<void> {
    for (const muted of [false, true]) {
      for (const status of (await feedOf(person, muted)).flatMap(({ statuses }) => statuses)) {
        this.#shown.set(status.id, stateOf(status));
        this.#mark(status.id, status.viewerState!);
      }
    }
    for (const { node } of (await person.api.ownStatuses({ first: 100 })).viewer!.ownStatuses.edges) {
      this.#shown.set(node.id, stateOf(node));
      this.#insights.set(node.id, insightsOf(node.insights!));
    }
    for (const { node } of (await person.api.statusMutes({ first: 100 })).viewer!.statusMutes.edges) this.#muted.add(node.id);
    for (const { node } of (await person.api.ownHighlights({ first: 20, firstOfEach: 20 })).viewer!.highlights.edges) {
      this.#highlights.set(node.id, { title: node.title, version: node.version, statusIds: node.statuses.edges.map((edge) => edge.node.id) });
    }
  }

  apply(event: StatusEvent): void {
    switch (event.__typename) {
      case 'StatusPosted':
        if (event.status) this.#shown.set(event.statusId, stateOf(event.status));
        return;
      case 'StatusDeleted':
        return void this.#shown.delete(event.statusId);
      case 'StatusViewed':
        if (event.insights) this.#insights.set(event.statusId, insightsOf(event.insights));
        return;
      case 'StatusMarksChanged':
        return this.#mark(event.statusId, event);
      case 'StatusMuteChanged':
        return void (event.muted ? this.#muted.add(event.userId) : this.#muted.delete(event.userId));
      case 'StatusHighlightChanged':
        if (!event.highlight) this.#highlights.delete(event.highlightId);
        else this.#highlights.set(event.highlightId, { title: event.highlight.title, version: event.highlight.version, statusIds: event.statusIds });
    }
  }

  /** They are no mutual contact any more: what they show is gone, and nothing of it comes back. */
  dropAuthor(userId: string): void {
    for (const [id, { author }] of this.#shown) if (author === userId) this.#shown.delete(id);
  }

  snapshot(): object {
    return {
      shown: sorted(this.#shown).map(([id, status]) => ({ ...status, marks: this.#marks.get(id) ?? null, insights: this.#insights.get(id) ?? NONE })),
      muted: [...this.#muted].sort(),
      highlights: sorted(this.#highlights),
    };
  }

  #mark(id: string, { viewedAt, reaction }: { viewedAt?: string | null; reaction?: string | null }): void {
    if (viewedAt) this.#marks.set(id, { viewedAt, reaction: reaction ?? null });
  }
}
