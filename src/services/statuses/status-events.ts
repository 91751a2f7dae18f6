import type { StatusEventRef } from '../../events/catalogue.js';
import { encodeId } from '../../lib/ids.js';
import type { Load, Make } from '../chat-events.js';
import { highlightFor, highlightItems } from '../loaders/status-highlights.js';
import { statusFor, statusMarks, statusMuted } from '../loaders/statuses.js';

/** What a person's own stream tells of statuses, as that person may see them now. */
export async function hydrateStatusEvent(viewerId: string, ref: StatusEventRef, make: Make, load: Load): Promise<ReturnType<Make>> {
  switch (ref.kind) {
    case 'status.posted':
      return make('StatusPosted', { ...ofAuthor(ref), status: await load(statusFor, { statusId: ref.statusId, viewerId }) });
    case 'status.deleted':
      return make('StatusDeleted', { ...ofAuthor(ref), expired: ref.expired });
    case 'status.viewed':
      return make('StatusViewed', { statusId: encodeId('Status', ref.statusId), insights: await load(statusFor, { statusId: ref.statusId, viewerId }) });
    case 'status.marks': {
      const { viewedAt, reaction } = (await load(statusMarks, { statusId: ref.statusId, viewerId }))!;
      return make('StatusMarksChanged', { ...ofAuthor(ref), viewedAt, reaction });
    }
    case 'status.muted':
      return make('StatusMuteChanged', { userId: encodeId('User', ref.userId), ...(await load(statusMuted, { viewerId, authorId: ref.userId })) });
    case 'status.highlight': {
      const highlight = await load(highlightFor, { highlightId: ref.highlightId, viewerId });
      const held = (await load(highlightItems, ref.highlightId)) ?? [];
      return make('StatusHighlightChanged', {
        highlightId: encodeId('StatusHighlight', ref.highlightId), highlight, statusIds: held.map((id) => encodeId('Status', id)), coverStatusId: highlight?.coverId ? encodeId('Status', highlight.coverId) : null,
      });
    }
  }
}

const ofAuthor = ({ statusId, authorId }: { statusId: string; authorId: string }) => ({ statusId: encodeId('Status', statusId), userId: encodeId('User', authorId) });
