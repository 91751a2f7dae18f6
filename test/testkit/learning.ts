import { OmniTalkError, type RetrainModelsInput } from '../../sdk/index.js';
import type { Person, World } from './world.js';
import { eventually } from './world.js';

/** Has everything learned, and waits until it is in use, or is not to be. */
export async function train(world: World, root: Person, more: Omit<RetrainModelsInput, 'idempotencyKey'> = {}) {
  const { model } = (await root.api.retrainModels({ input: { ...more, idempotencyKey: world.key() } })).retrainModels;
  return trained(root, model.id);
}

/** What has become of a training, when it has ended. */
export async function trained(root: Person, id: string) {
  const read = async () => (await root.api.learnedModels()).learnedModels.find((model) => model.id === id);
  // Loading TensorFlow.js takes a second, and many on a busy machine.
  await eventually(async () => (await read())?.state !== 'TRAINING', 'the model is trained', 90_000);
  return (await read())!;
}

/** Whether somebody is told that a thing is not there. */
export const isMissing = (error: unknown): boolean => error instanceof OmniTalkError && error.code === 'NOT_FOUND';
