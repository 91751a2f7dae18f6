import type { Device, types } from 'mediasoup-client';
import type { CallEvent } from './client.js';
import type { OmniTalkError } from './errors.js';
import type { CallProducerPartsFragment } from './generated/graphql.js';

export type CallSource = NonNullable<CallProducerPartsFragment['source']>;

/** A browser's MediaStreamTrack, or what does the same. */
export interface MediaTrack {
  readonly id: string;
  readonly kind: string;
  stop(): void;
  addEventListener(type: 'ended', listener: () => void): void;
}

/** Something that somebody else sends, as it arrives here. */
export interface RemoteTrack<Track extends MediaTrack = MediaTrack> {
  readonly producerId: string;
  readonly participantId: string;
  readonly consumerId: string;
  readonly source: CallSource;
  readonly track: Track;
  /** The sender has stopped it for now. */
  paused: boolean;
}

/** Something that somebody else sends by a data channel. */
export interface CallMessage {
  participantId: string;
  /** Of the channel. */
  label: string;
  data: string | ArrayBuffer;
}

/** Of WebRTC: in order and without loss unless told otherwise. */
export interface ChannelOptions {
  protocol?: string;
  ordered?: boolean;
  maxPacketLifeTime?: number;
  maxRetransmits?: number;
}

/** WAITING: in the lobby. RECONNECTING: the network is away, the seat is kept for 30 seconds. */
export type CallSessionState = 'WAITING' | 'CONNECTED' | 'RECONNECTING' | 'ENDED';
/** LEFT: by oneself. MOVED: the seat is on another device now. ENDED: the call is over. */
export type CallSessionEnd = 'LEFT' | 'REMOVED' | 'MOVED' | 'ENDED' | OmniTalkError;

export interface JoinCallOptions<Track extends MediaTrack> {
  callId: string;
  /** That of mediasoup-client. */
  Device: new () => Device;
  /** Takes the seat from another of one's devices. */
  takeOver?: boolean;
  /** Whether one agrees to be recorded: needed to join a call that is recorded, FORBIDDEN without. */
  recordingConsent?: boolean;
  /** Neither sends nor receives video. */
  voiceOnly?: boolean;
  /** Where this device is, by the operator's name for it: its media goes to a server there. Default: where the server is that is asked. */
  region?: string;
  /** `relay`: everything goes through the operator's TURN server, and nobody learns this device's address; a transport that has none fails with CALLS_UNAVAILABLE. */
  iceTransportPolicy?: 'all' | 'relay';
  onTrack?: (remote: RemoteTrack<Track>) => void;
  onTrackPaused?: (remote: RemoteTrack<Track>) => void;
  onTrackEnded?: (remote: RemoteTrack<Track>) => void;
  /** What the others send by data channels, which are received only if this is given. */
  onMessage?: (message: CallMessage) => void;
  onState?: (state: CallSessionState) => void;
  /**
   * Everything that happens in the call: people who come and go, levels, who speaks. What is in the log is told once each and in order, also what came while the session took its seat anew;
   * after ResyncRequired an app reads anew what it keeps.
   */
  onEvent?: (event: CallEvent) => void;
  /** Something could not be received, for example for want of a codec. The call goes on. */
  onProblem?: (problem: OmniTalkError) => void;
}

export type VideoCodec = 'VP8' | 'VP9' | 'H264' | 'AV1';

export interface SendOptions {
  /** By the track's kind unless told: MICROPHONE or CAMERA. */
  source?: CallSource;
  /** The device's own choice unless told. VP9 and AV1 send the three sizes as layers of one stream (SVC). UNSUPPORTED where it can't. */
  codec?: VideoCodec;
  /** A camera is sent in three sizes, of which each receiver gets one, unless told otherwise. */
  encodings?: types.RtpEncodingParameters[];
}
