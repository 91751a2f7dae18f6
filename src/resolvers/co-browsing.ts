import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { decodeId } from '../lib/ids.js';
import {
  DenyControlInput, DenyControlPayload, EndCoBrowsingInput, EndCoBrowsingPayload, GrantControlInput, GrantControlPayload, ReleaseControlInput, ReleaseControlPayload,
  RequestControlInput, RequestControlPayload, SendControlInput, SendControlPayload, StartCoBrowsingInput, StartCoBrowsingPayload,
} from '../schema/document.js';
import type { BrowsingService } from '../services/documents/browsing.js';
import type { DocumentService } from '../services/documents/documents.js';
import type { Context } from './context.js';
import { callIdOf } from './documents.js';

const documentIdOf = ({ documentId }: { documentId: string }): string => decodeId('Document', documentId, 'documentId');
const userIdOf = ({ userId }: { userId: string }): string => decodeId('User', userId, 'userId');

@Resolver()
export class CoBrowsingResolver {
  constructor(
    private readonly documents: DocumentService,
    private readonly browsing: BrowsingService,
  ) {}

  @Mutation(() => StartCoBrowsingPayload, { description: 'The viewer begins to show a page. At most 10 sessions a chat at a time.' })
  async startCoBrowsing(@Arg('input', () => StartCoBrowsingInput) input: StartCoBrowsingInput, @Ctx() context: Context): Promise<object> {
    const chatId = decodeId('Chat', input.chatId, 'chatId');
    return { document: await this.documents.start(context.requireViewer(), { ...input, kind: 'CO_BROWSING', chatId, callId: callIdOf(input) }) };
  }

  @Mutation(() => EndCoBrowsingPayload, { description: 'For the presenter, and those who run a group chat. What was shown is forgotten.' })
  async endCoBrowsing(@Arg('input', () => EndCoBrowsingInput) input: EndCoBrowsingInput, @Ctx() context: Context): Promise<object> {
    return { document: await this.documents.endCoBrowsing(context.requireViewer(), documentIdOf(input)) };
  }

  @Mutation(() => RequestControlPayload, { description: 'Asks the presenter for control of the page.' })
  async requestControl(@Arg('input', () => RequestControlInput) input: RequestControlInput, @Ctx() context: Context): Promise<object> {
    return { document: await this.browsing.requestControl(context.requireViewer(), documentIdOf(input)) };
  }

  @Mutation(() => GrantControlPayload, { description: 'For the presenter: gives control to one who asks, while nobody else has it.' })
  async grantControl(@Arg('input', () => GrantControlInput) input: GrantControlInput, @Ctx() context: Context): Promise<object> {
    return { document: await this.browsing.grantControl(context.requireViewer(), documentIdOf(input), userIdOf(input)) };
  }

  @Mutation(() => DenyControlPayload, { description: 'For the presenter: refuses one who asks.' })
  async denyControl(@Arg('input', () => DenyControlInput) input: DenyControlInput, @Ctx() context: Context): Promise<object> {
    return { document: await this.browsing.denyControl(context.requireViewer(), documentIdOf(input), userIdOf(input)) };
  }

  @Mutation(() => ReleaseControlPayload, { description: 'The presenter takes control back, the controller gives it up, who asks withdraws.' })
  async releaseControl(@Arg('input', () => ReleaseControlInput) input: ReleaseControlInput, @Ctx() context: Context): Promise<object> {
    return { document: await this.browsing.releaseControl(context.requireViewer(), documentIdOf(input)) };
  }

  @Mutation(() => SendControlPayload, { description: 'From the controller to the presenter’s page: kept nowhere, at most once.' })
  async sendControl(@Arg('input', () => SendControlInput) input: SendControlInput, @Ctx() context: Context): Promise<object> {
    await this.browsing.sendInput(context.requireViewer(), documentIdOf(input), input.messages);
    return { documentId: input.documentId };
  }
}
