import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { Source } from '../entities/call.js';
import { CallConsumerType, CallDataConsumerType, CallProducerKind, CallProducerType, CallSource, CallTransportType, TransportDirection } from './call.js';
import { JsonScalar } from './scalars.js';

@InputType()
abstract class OfCall {
  @Field(() => ID) callId: string;
}
@InputType()
abstract class OfTransport extends OfCall {
  @Field(() => ID) transportId: string;
}
@InputType()
abstract class OfProducer extends OfCall {
  @Field(() => ID, { description: 'One of the caller’s own.' }) producerId: string;
}
@InputType()
abstract class OfConsumer extends OfCall {
  @Field(() => ID) consumerId: string;
}

@InputType('CreateTransportInput')
export class CreateTransportInput extends OfCall {
  @Field(() => TransportDirection) direction: 'SEND' | 'RECEIVE';
  @Field(() => Boolean, { defaultValue: false, description: 'With data channels.' }) data: boolean;
  @Field(() => Boolean, { defaultValue: false, description: 'TCP alone, where UDP is known not to pass.' }) forceTcp: boolean;
}
@ObjectType('CreateTransportPayload')
export class CreateTransportPayload {
  @Field(() => CallTransportType) transport: object;
}

@InputType('ConnectTransportInput')
export class ConnectTransportInput extends OfTransport {
  @Field(() => JsonScalar) dtlsParameters: unknown;
}
@ObjectType('ConnectTransportPayload')
export class ConnectTransportPayload {
  @Field(() => ID) transportId: string;
}

@InputType('RestartIceInput')
export class RestartIceInput extends OfTransport {}
@ObjectType('RestartIcePayload')
export class RestartIcePayload {
  @Field(() => JsonScalar) iceParameters: object;
}

@InputType('CloseTransportInput')
export class CloseTransportInput extends OfTransport {}
@ObjectType('CloseTransportPayload')
export class CloseTransportPayload {
  @Field(() => ID) transportId: string;
}

@InputType('ProduceInput')
export class ProduceInput extends OfTransport {
  @Field(() => CallProducerKind, { description: 'AUDIO or VIDEO.' }) kind: 'AUDIO' | 'VIDEO' | 'DATA';
  @Field(() => JsonScalar) rtpParameters: unknown;
  @Field(() => CallSource) source: Source;
  @Field(() => Boolean, { defaultValue: false }) paused: boolean;
  @Field(() => JsonScalar, { nullable: true, description: 'Shown to everybody in the call; 1 kB at the most.' }) appData?: unknown;
}
@ObjectType('ProducePayload')
export class ProducePayload {
  @Field(() => CallProducerType) producer: object;
}

@InputType('ProduceDataInput')
export class ProduceDataInput extends OfTransport {
  @Field(() => JsonScalar) sctpStreamParameters: unknown;
  @Field(() => String, { defaultValue: '' }) label: string;
  @Field(() => String, { defaultValue: '' }) protocol: string;
}
@ObjectType('ProduceDataPayload')
export class ProduceDataPayload {
  @Field(() => CallProducerType) producer: object;
}

@InputType('CloseProducerInput')
export class CloseProducerInput extends OfProducer {}
@ObjectType('CloseProducerPayload')
export class CloseProducerPayload {
  @Field(() => ID) producerId: string;
}
@InputType('CloseDataProducerInput')
export class CloseDataProducerInput extends OfProducer {}
@ObjectType('CloseDataProducerPayload')
export class CloseDataProducerPayload {
  @Field(() => ID) producerId: string;
}
@InputType('SetProducerPausedInput')
export class SetProducerPausedInput extends OfProducer {
  @Field(() => Boolean) paused: boolean;
}
@ObjectType('SetProducerPausedPayload')
export class SetProducerPausedPayload {
  @Field(() => CallProducerType) producer: object;
}

@InputType('ConsumeInput')
export class ConsumeInput extends OfTransport {
  @Field(() => ID, { description: 'Of somebody else.' }) producerId: string;
  @Field(() => JsonScalar, { description: 'Those of mediasoup-client’s Device.' }) rtpCapabilities: unknown;
  @Field(() => Boolean, { defaultValue: true, description: 'Begin paused, and go on once the client is ready: no key frame is lost then.' }) paused: boolean;
}
@ObjectType('ConsumePayload')
export class ConsumePayload {
  @Field(() => CallConsumerType) consumer: object;
}

@InputType('ConsumeDataInput')
export class ConsumeDataInput extends OfTransport {
  @Field(() => ID) dataProducerId: string;
}
@ObjectType('ConsumeDataPayload')
export class ConsumeDataPayload {
  @Field(() => CallDataConsumerType) dataConsumer: object;
}

@InputType('CloseConsumerInput')
export class CloseConsumerInput extends OfConsumer {}
@InputType('CloseDataConsumerInput')
export class CloseDataConsumerInput extends OfConsumer {}
@InputType('SetConsumerPausedInput')
export class SetConsumerPausedInput extends OfConsumer {
  @Field(() => Boolean) paused: boolean;
}
@InputType('SetPreferredLayersInput')
export class SetPreferredLayersInput extends OfConsumer {
  @Field(() => Int, { description: '0: the smallest picture.' }) spatialLayer: number;
  @Field(() => Int, { description: '0: the lowest frame rate.' }) temporalLayer: number;
}
@InputType('RequestKeyFrameInput')
export class RequestKeyFrameInput extends OfConsumer {}

const consumerPayload = (name: string) => {
  @ObjectType(name)
  class Payload {
    @Field(() => ID) consumerId: string;
  }
  return Payload;
};
export const CloseConsumerPayload = consumerPayload('CloseConsumerPayload');
export const CloseDataConsumerPayload = consumerPayload('CloseDataConsumerPayload');
export const SetConsumerPausedPayload = consumerPayload('SetConsumerPausedPayload');
export const SetPreferredLayersPayload = consumerPayload('SetPreferredLayersPayload');
export const RequestKeyFramePayload = consumerPayload('RequestKeyFramePayload');
