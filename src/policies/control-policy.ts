import { DomainError, forbidden } from '../lib/errors.js';

/** Who, besides its presenter, controls a shared page, and who asks to. */
export interface Control {
  controllerId: string | null;
  /** In the order in which they asked. */
  requests: readonly string[];
}

export const MAX_CONTROL_REQUESTS = 20;

/**
 *            request                grant                    release (by either)
 *   nobody ───────────▶ asks ───────────────▶ controls ───────────────────────▶ nobody
 *                         └── deny, or withdrawn ──▶ nobody
 * At most one controls; others may ask meanwhile. Each step answers the same object when nothing changes.
 */
export function request(control: Control, actorId: string, presenterId: string): Control {
  if (actorId === presenterId) throw forbidden('The page is the presenter’s own.');
  if (control.controllerId === actorId || control.requests.includes(actorId)) return control;
  if (control.requests.length >= MAX_CONTROL_REQUESTS) throw new DomainError('LIMIT_REACHED', `At most ${MAX_CONTROL_REQUESTS} people ask for control at a time.`);
  return { ...control, requests: [...control.requests, actorId] };
}

export function grant(control: Control, actorId: string, presenterId: string, userId: string): Control {
  assertPresents(actorId, presenterId);
  if (control.controllerId === userId) return control;
  if (!control.requests.includes(userId)) throw new DomainError('STATE_CONFLICT', 'They do not ask for control.', { field: 'userId' });
  if (control.controllerId !== null) throw new DomainError('STATE_CONFLICT', 'Somebody else has control: release it first.');
  return { controllerId: userId, requests: control.requests.filter((one) => one !== userId) };
}

export function deny(control: Control, actorId: string, presenterId: string, userId: string): Control {
  assertPresents(actorId, presenterId);
  return withoutRequest(control, userId);
}

/** The presenter takes control back; the controller gives it up; who asks withdraws. */
export function release(control: Control, actorId: string, presenterId: string): Control {
  if (actorId === presenterId || actorId === control.controllerId) return control.controllerId === null ? control : { ...control, controllerId: null };
  return withoutRequest(control, actorId);
}

export function assertControls(control: Control, actorId: string): void {
  if (control.controllerId !== actorId) throw forbidden('You have no control of this page: ask for it.');
}

function assertPresents(actorId: string, presenterId: string): void {
  if (actorId !== presenterId) throw forbidden('Only its presenter gives control of a page.');
}

const withoutRequest = (control: Control, userId: string): Control =>
  control.requests.includes(userId) ? { ...control, requests: control.requests.filter((one) => one !== userId) } : control;
