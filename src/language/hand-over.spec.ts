import assert from 'node:assert/strict';
import { HAND_OVER_PHRASES, wantsPerson } from './hand-over.js';

describe('wishes for a person', () => {
  for (const text of [
    'Can I speak to a human?', 'I want to talk to a real person', 'please connect me with an agent', 'human please', 'agent!', 'I’d like to chat with a representative.', 'I need a human being, not you',
    'Ich möchte mit einem Menschen sprechen', 'Kann ich mit einem Mitarbeiter reden?', 'Verbinden Sie mich mit einer Mitarbeiterin',
    'Je voudrais parler à un conseiller', 'je veux parler à une personne', 'Puis-je parler à un humain ?',
    'Quiero hablar con una persona', '¿Puedo hablar con un agente?', 'necesito un humano',
  ]) it(`hears one in “${text}”`, () => assert.equal(wantsPerson(text), true));
  for (const text of [
    'How many people fit into the room?', 'Which person invented tea?', 'Do human hands pick it?', 'What does a travel agent earn?', 'I like the person who sold it', 'Wie viele Personen wohnen hier?',
    'Was kostet das pro Person?', 'Combien coûte-t-il par personne ?', 'Cuánto cuesta por persona', 'hello', 'Is this agent-based software?',
  ]) it(`hears none in “${text}”`, () => assert.equal(wantsPerson(text), false));

  it('has the same phrases in every language', () => {
    const kinds = Object.keys(HAND_OVER_PHRASES['en']!);
    for (const phrases of Object.values(HAND_OVER_PHRASES)) assert.deepEqual(Object.keys(phrases), kinds);
  });
});
