import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import { ViewerChatsResolver } from './resolvers/chat-list.js';
import { ChatMembershipResolver } from './resolvers/chat-members.js';
import { ChatSettingsMutations, ChatSettingsResolver, ChatViewerStateResolver } from './resolvers/chat-settings.js';
import { GroupMembershipResolver, GroupMemberResolver } from './resolvers/group-members.js';
import { ChatGroupResolver, GroupResolver, GroupViewerStateResolver, ViewerGroupsResolver } from './resolvers/groups.js';
import { ChatInvitesResolver, InviteLinkResolver } from './resolvers/invites.js';
import { MessageSystemResolver, SystemNoticeResolver } from './resolvers/system-notice.js';
import { ChatListService } from './services/chat-list.js';
import { ChatMemberService } from './services/chat-members.js';
import { ChatSettingsService } from './services/chat-settings.js';
import { GroupMemberService } from './services/group-members.js';
import { GroupService } from './services/groups.js';
import { InviteService } from './services/invites.js';
import { loadServerKey } from './services/refresh-tokens.js';

/** Who is in chats and groups, and what these are like. */
export async function makeChats({ db, unitOfWork }: { db: Database; unitOfWork: UnitOfWork }): Promise<{ groups: GroupService; resolvers: object[] }> {
  const groups = new GroupService(db.sql, unitOfWork);
  const invites = new InviteService(db.sql, unitOfWork, await loadServerKey(db.sql, 'invite-link'));
  return {
    groups,
    resolvers: [
      new ChatSettingsMutations(new ChatSettingsService(db.sql, unitOfWork)),
      new ChatSettingsResolver(),
      new ChatViewerStateResolver(),
      new ViewerChatsResolver(new ChatListService(db.sql)),
      new ChatMembershipResolver(new ChatMemberService(unitOfWork)),
      new ChatInvitesResolver(invites),
      new InviteLinkResolver(),
      new MessageSystemResolver(),
      new SystemNoticeResolver(),
      new GroupResolver(groups),
      new GroupViewerStateResolver(),
      new ChatGroupResolver(),
      new ViewerGroupsResolver(groups),
      new GroupMembershipResolver(new GroupMemberService(db.sql, unitOfWork)),
      new GroupMemberResolver(),
    ],
  };
}
