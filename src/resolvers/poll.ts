import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { ForwardArgs } from '../schema/connection.js';
import { PollCardType, PollOptionType, PollViewerStateType } from '../schema/message-cards.js';
import { UserPages } from '../schema/user.js';
import { viewerVotes, type OptionKey, type PollOptionRow, type PollRow, type VotingUser } from '../services/loaders/polls.js';
import { isClosed, type PollService } from '../services/polls.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

type Option = PollOptionRow & OptionKey & { anonymous: boolean };

@Resolver(() => PollCardType)
export class PollCardResolver {
  @FieldResolver()
  options(@Root() { options, chatId, seq, anonymous }: PollRow): Option[] {
    return options.map((option) => ({ ...option, chatId, seq, anonymous }));
  }

  @FieldResolver()
  closed(@Root() poll: PollRow, @Ctx() context: Context): boolean {
    return isClosed(poll, context.now);
  }

  @ViewerDependent()
  @FieldResolver(() => PollViewerStateType, { nullable: true })
  async viewerState(@Root() { chatId, seq }: PollRow, @Ctx() context: Context): Promise<PollViewerStateType> {
    context.requireViewer();
    return { votes: (await context.load(viewerVotes, { chatId, seq }))! };
  }
}

@Resolver(() => PollOptionType)
export class PollOptionResolver {
  constructor(private readonly polls: PollService) {}

  @FieldResolver(() => UserPages.Connection, { nullable: true, description: 'Who voted for it, in the order in which they did; null when votes are anonymous.' })
  voters(@Root() option: Option, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<VotingUser> | null> {
    return this.polls.voters(context, option, args);
  }
}
