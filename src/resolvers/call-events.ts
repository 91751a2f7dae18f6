import { Arg, Ctx, FieldResolver, ID, Resolver, Root, Subscription, type ClassType } from 'type-graphql';
import { CallEvent, WITH_CALL } from '../schema/call-events.js';
import { CallType } from '../schema/call.js';
import { EventCursor } from '../schema/scalars.js';
import { callById, type CallRow } from '../services/loaders/calls.js';
import type { Context } from './context.js';

/** Served by server/realtime, as all subscriptions are: see subscriptions.ts. */
const served = (): never => {
  throw new Error('Subscriptions are served by server/realtime.');
};

@Resolver()
export class CallEventsResolver {
  @Subscription(() => CallEvent, {
    subscribe: served,
    description: 'The events of a call, for those who are in it: lossless from the cursor that joinCall gave. Following it is what keeps the seat: a lost connection has 30 seconds to come back.',
  })
  callEvents(@Arg('callId', () => ID) _callId: string, @Arg('after', () => EventCursor, { nullable: true }) _after: string | null): never {
    return served();
  }
}

function withCall(type: ClassType): ClassType {
  @Resolver(() => type)
  class WithCallResolver {
    @FieldResolver(() => CallType)
    call(@Root() event: { callKey: string }, @Ctx() context: Context): Promise<CallRow | null> {
      return context.load(callById, event.callKey);
    }
  }
  return WithCallResolver;
}

export const CALL_EVENT_RESOLVERS = WITH_CALL.map(withCall);
