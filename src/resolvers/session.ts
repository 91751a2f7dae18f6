import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { RefreshSessionPayload } from '../schema/account.js';
import { ForwardArgs } from '../schema/connection.js';
import { RefreshSessionInput, SessionPages, SessionType, SessionViewerStateType, SignOutInput, SignOutPayload } from '../schema/session.js';
import { ViewerType } from '../schema/viewer.js';
import type { Grant, SessionRow, SessionService } from '../services/sessions.js';
import type { Context, Viewer } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => SessionType)
export class SessionResolver {
  constructor(private readonly sessions: SessionService) {}

  @Mutation(() => RefreshSessionPayload, {
    description: 'New tokens for a refresh token. A lost answer may be asked again for 30 s; any other second use of a token ends the session.',
  })
  refreshSession(@Arg('input', () => RefreshSessionInput) { refreshToken }: RefreshSessionInput): Promise<Grant> {
    return this.sessions.refresh(refreshToken);
  }

  @Mutation(() => SignOutPayload, { description: 'Ends this session, another of one’s own, or all others. Their connections close with 4401.' })
  async signOut(@Arg('input', () => SignOutInput) { sessionId, allOthers }: SignOutInput, @Ctx() context: Context): Promise<SignOutPayload> {
    const viewer = context.requireViewer();
    const choice = { sessionId: sessionId == null ? null : decodeId('Session', sessionId, 'sessionId'), allOthers: allOthers ?? false };
    const ended = await this.sessions.signOut(viewer, choice);
    return { endedSessionIds: ended.map((id) => encodeId('Session', id)) };
  }

  @FieldResolver()
  id(@Root() session: SessionRow): string {
    return encodeId('Session', session.id);
  }

  @ViewerDependent()
  @FieldResolver(() => SessionViewerStateType)
  viewerState(@Root() session: SessionRow & { current?: boolean }, @Ctx() context: Context): SessionViewerStateType {
    return { current: session.current ?? session.id === context.viewer?.sessionId };
  }
}

@Resolver(() => SessionViewerStateType)
export class SessionViewerStateResolver {}

@Resolver(() => ViewerType)
export class ViewerSessionsResolver {
  constructor(private readonly service: SessionService) {}

  @FieldResolver(() => SessionPages.Connection, { description: 'The devices on which the viewer is signed in, the newest first.' })
  sessions(@Root() viewer: Viewer, @Args(() => ForwardArgs) args: ForwardArgs): Promise<Page<SessionRow>> {
    return this.service.list(viewer.userId, args);
  }
}
