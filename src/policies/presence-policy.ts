/** What decides whether somebody may see another person's presence. */
export interface PresenceSight {
  privacy: 'EVERYONE' | 'CONTACTS' | 'NOBODY';
  self: boolean;
  /** Either has blocked the other. */
  blocked: boolean;
  /** The person has the viewer among their contacts: the other way round gives no right. */
  contactOfOwner: boolean;
}

export function maySeePresence({ privacy, self, blocked, contactOfOwner }: PresenceSight): boolean {
  if (self) return true;
  if (blocked) return false;
  return privacy === 'EVERYONE' || (privacy === 'CONTACTS' && contactOfOwner);
}
