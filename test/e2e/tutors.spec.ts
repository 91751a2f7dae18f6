import assert from 'node:assert/strict';
import { makeBot } from '../testkit/bots.js';
import { digest } from '../testkit/digest.js';
import { LanguageServer } from '../testkit/language-server.js';
import { eventually, fails, settle, World, type Person } from '../testkit/world.js';

const WORDS = [
  { question: 'house', answer: 'das Haus' },
  { question: 'boat', answer: 'das Boot' },
];
const TEXT = 'A cormorant dives into the cold lake every morning before the boats leave.';
const DAY = 86_400_000;

describe('tutors', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let eve: Person;
  let botId: string;
  const next = async (person: Person) => (await person.api.nextExercise({ input: { botId } })).nextExercise;
  const answer = async (person: Person, exerciseId: string, text: string, idempotencyKey = world.key()) => (await person.api.answerExercise({ input: { botId, exerciseId, answer: text, idempotencyKey } })).answerExercise;
  const progress = async (person: Person) => (await person.api.tutorProgress({})).viewer!.tutorProgress.edges.map(({ node }) => node);
  const unchanged = async (work: () => Promise<unknown>) => {
    const before = await digest(world);
    await work();
    assert.deepEqual(await digest(world), before);
  };
  const rightFor = (prompt: string) => WORDS.find(({ question }) => question === prompt)?.answer ?? 'cormorant';
  const again = async (person: Person) => {
    const { signIn } = await world.client().api.signIn({ input: { email: `${person.handle}@example.com`, password: `password of ${person.handle}` } });
    person.client = world.client(signIn.accessToken);
    person.api = person.client.api;
  };

  describe('without a model', () => {
    before(async () => {
      world = await World.start();
      [ann, bob, eve] = await world.people('Ann', 'Bob', 'Eve');
      ({ botId } = await makeBot(world, ann, 'lehrer', WORDS));
      await ann.api.addBotKnowledge({ input: { botId, text: TEXT, idempotencyKey: world.key() } });
      await ann.api.addBotToChat({ input: { botId, chatId: await world.groupChat(ann, [bob], 'Class'), seesHistory: false } });
    });
    after(() => world.stop());

    it('is made of a bot by its owner, and teaches whom the bot answers', async () => {
      await unchanged(async () => {
        await fails(next(bob), 'STATE_CONFLICT', 'botId');
        await fails(bob.api.setBotTutor({ input: { botId, subject: 'German' } }), 'NOT_FOUND');
        await fails(ann.api.setBotTutor({ input: { botId, subject: 'x'.repeat(300) } }), 'INVALID_INPUT', 'subject');
      });
      assert.equal((await ann.api.setBotTutor({ input: { botId, subject: 'German and lakes' } })).setBotTutor.bot.tutor!.subject, 'German and lakes');
      await unchanged(() => fails(next(eve), 'FORBIDDEN'));
    });

    it('asks one thing at a time, grades it once, and says what was right', async () => {
      const { exercise, progress: begun } = await next(bob);
      assert.deepEqual([begun.exerciseCount, begun.answered, begun.level, begun.rating, exercise!.box], [3, 0, 'BEGINNER', 900, null]);
      assert.equal((await next(bob)).exercise!.id, exercise!.id, 'the same until it is answered');
      const key = world.key();
      const graded = await answer(bob, exercise!.id, rightFor(exercise!.prompt), key);
      assert.deepEqual([graded.correct, graded.score, graded.gradedBy, graded.expected], [true, 1, 'PROCESS', rightFor(exercise!.prompt)]);
      assert.deepEqual([graded.progress.answered, graded.progress.correct, graded.progress.boxes], [1, 1, [0, 1, 0, 0, 0]]);
      assert.ok(graded.progress.rating > 900);
      await unchanged(async () => {
        assert.deepEqual(await answer(bob, exercise!.id, rightFor(exercise!.prompt), key), graded);
        await fails(answer(bob, exercise!.id, 'something else', key), 'IDEMPOTENCY_KEY_REUSED');
        await fails(answer(bob, exercise!.id, rightFor(exercise!.prompt)), 'STATE_CONFLICT', 'exerciseId');
        await fails(answer(bob, exercise!.id, ''), 'INVALID_INPUT', 'answer');
        await fails(answer(eve, exercise!.id, 'das Haus'), 'FORBIDDEN');
        await fails(answer(ann, exercise!.id, 'das Haus'), 'STATE_CONFLICT', 'exerciseId');
      });
    });

    it('asks what was wrong again after minutes, and what was right after days, and goes by the boxes', async () => {
      const second = (await next(bob)).exercise!;
      const wrong = await answer(bob, second.id, 'nonsense');
      assert.deepEqual([wrong.correct, wrong.expected, wrong.progress.boxes], [false, rightFor(second.prompt), [1, 1, 0, 0, 0]]);
      const third = (await next(bob)).exercise!;
      await answer(bob, third.id, rightFor(third.prompt));
      const none = await next(bob);
      assert.deepEqual([none.exercise, none.progress.dueCount], [null, 0]);
      world.clock.advance(10 * 60_000 + 1_000);
      const repeated = (await next(bob)).exercise!;
      assert.deepEqual([repeated.id, repeated.box], [second.id, 1]);
      assert.deepEqual((await answer(bob, repeated.id, rightFor(second.prompt))).progress.boxes, [0, 3, 0, 0, 0]);
      world.clock.advance(DAY + 1_000);
      await again(bob);
      await again(ann);
      assert.equal((await progress(bob))[0]!.dueCount, 3);
      const due = (await next(bob)).exercise!;
      assert.equal(due.box, 2);
      assert.deepEqual((await answer(bob, due.id, 'wrong again')).progress.boxes, [1, 2, 0, 0, 0]);
    });

    it('two answers at once are graded once', async () => {
      const { exercise } = await next(bob);
      const answers = await Promise.allSettled([1, 2, 3].map(() => answer(bob, exercise!.id, rightFor(exercise!.prompt))));
      assert.deepEqual(answers.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
    });

    it('is theirs: others read nothing of it, an export holds it, and it can be forgotten', async () => {
      assert.deepEqual(await progress(ann), []);
      assert.equal((await progress(bob))[0]!.answered, 6);
      const { dataExport } = (await bob.api.requestDataExport({ input: { idempotencyKey: world.key() } })).requestDataExport;
      await eventually(async () => (await bob.api.dataExport({ id: dataExport.id })).dataExport!.state === 'READY', 'the copy is there', 20_000);
      assert.equal((await ann.api.eraseTutorProgress({ input: { botId } })).eraseTutorProgress.erased, false);
      assert.equal((await bob.api.eraseTutorProgress({ input: { botId } })).eraseTutorProgress.erased, true);
      await unchanged(async () => assert.equal((await bob.api.eraseTutorProgress({ input: { botId } })).eraseTutorProgress.erased, false));
      assert.deepEqual([await progress(bob), await world.sql('select from tutor_cards'), await world.sql('select from tutor_learners')], [[], [], []]);
    });

    it('teaches what it is given, and no more what it is given no more', async () => {
      await ann.api.addBotKnowledge({ input: { botId, faq: [{ question: 'lake', answer: 'der See' }], idempotencyKey: world.key() } });
      assert.equal((await next(bob)).progress.exerciseCount, 4);
      for (const { node } of (await ann.api.bot({ id: botId })).bot!.knowledge.edges) await ann.api.removeBotKnowledge({ input: { knowledgeId: node.id } });
      const none = await next(bob);
      assert.deepEqual([none.exercise, none.progress.exerciseCount], [null, 0]);
      await ann.api.setBotTutor({ input: { botId } });
      await fails(next(bob), 'STATE_CONFLICT', 'botId');
    });
  });

  it('has a model word what is made of a text, and say what was meant, where there is one', async () => {
    const server = await LanguageServer.start();
    world = await World.start({ settings: server.settings });
    try {
      ann = await world.person('Ann');
      ({ botId } = await makeBot(world, ann, 'lehrer', [{ question: 'When does the boat house open?', answer: 'It opens at seven in the morning' }]));
      await ann.api.addBotKnowledge({ input: { botId, text: TEXT, idempotencyKey: world.key() } });
      await ann.api.setBotTutor({ input: { botId, subject: 'Lakes' } });
      const say = (text: string) => (server.reply = () => ({ texts: [text] }));
      say('{"question": "Which bird dives into the lake?", "answer": "a penguin"}');
      const seen: string[] = [];
      for (let round = 0; round < 2; round++) {
        const exercise = (await next(ann)).exercise!;
        seen.push(exercise.prompt);
        if (exercise.kind === 'CLOZE') {
          await answer(ann, exercise.id, 'cormorant');
          continue;
        }
        assert.equal(exercise.prompt, 'When does the boat house open?');
        say('RIGHT');
        const graded = await answer(ann, exercise.id, 'early in the morning, seven');
        assert.deepEqual([graded.correct, graded.score, graded.gradedBy], [true, 1, 'MODEL']);
        say('{"question": "Which bird dives into the lake?", "answer": "a penguin"}');
      }
      assert.ok(seen.includes('A _____ dives into the cold lake every morning before the boats leave.'), 'what does not stand in the text is not taken from a model');
      await ann.api.addBotKnowledge({ input: { botId, text: 'The ferry crosses the whole lake twice a day in summer.', idempotencyKey: world.key() } });
      say('Here: {"question": "How often does the ferry cross?", "answer": "twice a day"}');
      const worded = (await next(ann)).exercise!;
      assert.deepEqual([worded.kind, worded.prompt], ['ANSWER', 'How often does the ferry cross?']);
      const asked = server.asked.length;
      assert.equal((await next(ann)).exercise!.prompt, worded.prompt);
      assert.equal(server.asked.length, asked, 'it is asked once');
      say('WRONG');
      assert.deepEqual((({ correct, gradedBy }) => [correct, gradedBy])(await answer(ann, worded.id, 'once a day')), [false, 'MODEL']);
      assert.ok((await world.sql<{ requests: number }>('select requests from bot_spending'))[0]!.requests >= 4);

      // Whoever answers many times at once has a model paid for one of them.
      await ann.api.addBotKnowledge({ input: { botId, faq: [{ question: 'Who feeds the swans?', answer: 'the old man of the boat house' }], idempotencyKey: world.key() } });
      const swans = (await next(ann)).exercise!;
      assert.equal(swans.kind, 'ANSWER');
      server.asked.length = 0;
      server.reply = async () => {
        await settle();
        return { texts: ['WRONG'] };
      };
      const answers = await Promise.allSettled(Array.from({ length: 8 }, (_, at) => answer(ann, swans.id, `an old man, number ${'x'.repeat(at)}`)));
      assert.deepEqual([answers.filter(({ status }) => status === 'fulfilled').length, server.asked.length], [1, 1]);

      // What no model has answered, or was not asked for, is worded another time; but nobody's exercise becomes another while they are at it.
      bob = await world.person('Bob');
      const { bot } = (await ann.api.createBot({ input: { handle: 'later', displayName: 'Later', engine: 'BUILT_IN', idempotencyKey: world.key() } })).createBot;
      botId = bot.id;
      await ann.api.addBotKnowledge({ input: { botId, text: TEXT, idempotencyKey: world.key() } });
      await ann.api.setBotTutor({ input: { botId, subject: 'Lakes' } });
      await ann.api.addBotToChat({ input: { botId, chatId: await world.groupChat(ann, [bob], 'Class'), seesHistory: false } });
      await ann.api.updateBot({ input: { botId, costADay: 0 } });
      const gap = 'A _____ dives into the cold lake every morning before the boats leave.';
      assert.equal((await next(ann)).exercise!.prompt, gap);
      await ann.api.updateBot({ input: { botId, costADay: 1 } });
      server.reply = () => ({ status: 503 });
      assert.equal((await next(ann)).exercise!.prompt, gap);
      say('{"question": "When does the cormorant dive?", "answer": "every morning"}');
      const theirs = (await next(bob)).exercise!;
      assert.deepEqual([theirs.kind, theirs.prompt], ['CLOZE', gap], 'Ann is at it');
      assert.equal((await answer(bob, theirs.id, 'cormorant')).correct, true);
      const hers = (await next(ann)).exercise!;
      assert.deepEqual([hers.id, hers.kind, hers.prompt], [theirs.id, 'ANSWER', 'When does the cormorant dive?']);
      assert.equal((await answer(ann, hers.id, 'every morning')).correct, true);
    } finally {
      await world.stop();
      await server.stop();
    }
  });
});
