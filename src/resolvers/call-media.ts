import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { invalidInput } from '../lib/errors.js';
import { decodeId } from '../lib/ids.js';
import {
  CloseConsumerInput, CloseConsumerPayload, CloseDataConsumerInput, CloseDataConsumerPayload, CloseDataProducerInput, CloseDataProducerPayload, CloseProducerInput, CloseProducerPayload,
  CloseTransportInput, CloseTransportPayload,
  ConnectTransportInput, ConnectTransportPayload, ConsumeDataInput, ConsumeDataPayload, ConsumeInput, ConsumePayload, CreateTransportInput, CreateTransportPayload, ProduceDataInput,
  ProduceDataPayload, ProduceInput, ProducePayload, RequestKeyFrameInput, RequestKeyFramePayload, RestartIceInput, RestartIcePayload, SetConsumerPausedInput, SetConsumerPausedPayload,
  SetPreferredLayersInput, SetPreferredLayersPayload, SetProducerPausedInput, SetProducerPausedPayload,
} from '../schema/call-media.js';
import type { CallMedia } from '../services/calls/call-media.js';
import type { ProducerRow } from '../services/loaders/calls.js';
import { shownConsumer, shownDataConsumer, shownTransport } from './call-shapes.js';
import type { Context } from './context.js';

const callOf = ({ callId }: { callId: string }): string => decodeId('Call', callId, 'callId');
const transportOf = ({ transportId }: { transportId: string }): string => decodeId('CallTransport', transportId, 'transportId');
const producerOf = ({ producerId }: { producerId: string }): string => decodeId('CallProducer', producerId, 'producerId');
const consumerOf = ({ consumerId }: { consumerId: string }): string => decodeId('CallConsumer', consumerId, 'consumerId');

@Resolver()
export class CallMediaResolver {
  constructor(private readonly media: CallMedia) {}

  @Mutation(() => CreateTransportPayload, { description: 'Six a participant at the most.' })
  async createTransport(@Arg('input', () => CreateTransportInput) input: CreateTransportInput, @Ctx() context: Context): Promise<object> {
    const { direction, data, forceTcp } = input;
    return { transport: shownTransport(await this.media.createTransport(context.requireCaller(), callOf(input), { direction, sctp: data, forceTcp })) };
  }

  @Mutation(() => ConnectTransportPayload, { description: 'Once; a second time is STATE_CONFLICT.' })
  async connectTransport(@Arg('input', () => ConnectTransportInput) input: ConnectTransportInput, @Ctx() context: Context): Promise<object> {
    await this.media.connectTransport(context.requireCaller(), callOf(input), transportOf(input), input.dtlsParameters);
    return { transportId: input.transportId };
  }

  @Mutation(() => RestartIcePayload, { description: 'After a lost network: the transport goes on with what it carried.' })
  async restartIce(@Arg('input', () => RestartIceInput) input: RestartIceInput, @Ctx() context: Context): Promise<object> {
    return { iceParameters: await this.media.restartIce(context.requireCaller(), callOf(input), transportOf(input)) };
  }

  @Mutation(() => CloseTransportPayload, { description: 'What went through it ends with it.' })
  async closeTransport(@Arg('input', () => CloseTransportInput) input: CloseTransportInput, @Ctx() context: Context): Promise<{ transportId: string }> {
    await this.media.closeTransport(context.requireCaller(), callOf(input), transportOf(input));
    return { transportId: input.transportId };
  }

  @Mutation(() => ProducePayload, { description: 'Sends a microphone, a camera, or a screen. One screen at a time in a call.' })
  async produce(@Arg('input', () => ProduceInput) input: ProduceInput, @Ctx() context: Context): Promise<{ producer: ProducerRow }> {
    const caller = context.requireCaller();
    const { kind, rtpParameters, source, paused, appData } = input;
    if (kind === 'DATA') throw invalidInput('kind', 'Data goes by produceData.');
    return { producer: await this.media.produce(caller, callOf(input), { transportId: transportOf(input), kind, rtpParameters, source, paused, appData }) };
  }

  @Mutation(() => CloseProducerPayload)
  async closeProducer(@Arg('input', () => CloseProducerInput) input: CloseProducerInput, @Ctx() context: Context): Promise<object> {
    await this.media.closeProducer(context.requireCaller(), callOf(input), producerOf(input));
    return { producerId: input.producerId };
  }

  @Mutation(() => SetProducerPausedPayload)
  async setProducerPaused(@Arg('input', () => SetProducerPausedInput) input: SetProducerPausedInput, @Ctx() context: Context): Promise<{ producer: ProducerRow }> {
    return { producer: await this.media.setProducerPaused(context.requireCaller(), callOf(input), producerOf(input), input.paused) };
  }

  @Mutation(() => ConsumePayload, { description: 'Receives what somebody sends. The same producer on the same transport is the same consumer.' })
  async consume(@Arg('input', () => ConsumeInput) input: ConsumeInput, @Ctx() context: Context): Promise<object> {
    const { rtpCapabilities, paused } = input;
    const caller = context.requireCaller();
    return { consumer: shownConsumer(await this.media.consume(caller, callOf(input), { transportId: transportOf(input), producerId: producerOf(input), rtpCapabilities, paused })) };
  }

  @Mutation(() => CloseConsumerPayload)
  async closeConsumer(@Arg('input', () => CloseConsumerInput) input: CloseConsumerInput, @Ctx() context: Context): Promise<object> {
    await this.media.closeConsumer(context.requireCaller(), callOf(input), consumerOf(input));
    return { consumerId: input.consumerId };
  }

  @Mutation(() => SetConsumerPausedPayload)
  async setConsumerPaused(@Arg('input', () => SetConsumerPausedInput) input: SetConsumerPausedInput, @Ctx() context: Context): Promise<object> {
    await this.media.setConsumerPaused(context.requireCaller(), callOf(input), consumerOf(input), input.paused);
    return { consumerId: input.consumerId };
  }

  @Mutation(() => SetPreferredLayersPayload, { description: 'The highest layers that are wanted. STATE_CONFLICT for what has no layers.' })
  async setPreferredLayers(@Arg('input', () => SetPreferredLayersInput) input: SetPreferredLayersInput, @Ctx() context: Context): Promise<object> {
    await this.media.setPreferredLayers(context.requireCaller(), callOf(input), consumerOf(input), { spatial: input.spatialLayer, temporal: input.temporalLayer });
    return { consumerId: input.consumerId };
  }

  @Mutation(() => RequestKeyFramePayload, { description: 'Asks the sender for a whole picture, for a decoder that has lost its way.' })
  async requestKeyFrame(@Arg('input', () => RequestKeyFrameInput) input: RequestKeyFrameInput, @Ctx() context: Context): Promise<object> {
    await this.media.requestKeyFrame(context.requireCaller(), callOf(input), consumerOf(input));
    return { consumerId: input.consumerId };
  }

  @Mutation(() => ProduceDataPayload)
  async produceData(@Arg('input', () => ProduceDataInput) input: ProduceDataInput, @Ctx() context: Context): Promise<{ producer: ProducerRow }> {
    return { producer: await this.media.produceData(context.requireCaller(), callOf(input), transportOf(input), input) };
  }

  @Mutation(() => CloseDataProducerPayload)
  async closeDataProducer(@Arg('input', () => CloseDataProducerInput) input: CloseDataProducerInput, @Ctx() context: Context): Promise<object> {
    await this.media.closeDataProducer(context.requireCaller(), callOf(input), producerOf(input));
    return { producerId: input.producerId };
  }

  @Mutation(() => ConsumeDataPayload)
  async consumeData(@Arg('input', () => ConsumeDataInput) input: ConsumeDataInput, @Ctx() context: Context): Promise<object> {
    const caller = context.requireCaller();
    const dataProducerId = decodeId('CallProducer', input.dataProducerId, 'dataProducerId');
    return { dataConsumer: shownDataConsumer(await this.media.consumeData(caller, callOf(input), { transportId: transportOf(input), dataProducerId })) };
  }

  @Mutation(() => CloseDataConsumerPayload)
  async closeDataConsumer(@Arg('input', () => CloseDataConsumerInput) input: CloseDataConsumerInput, @Ctx() context: Context): Promise<object> {
    await this.media.closeDataConsumer(context.requireCaller(), callOf(input), consumerOf(input));
    return { consumerId: input.consumerId };
  }
}
