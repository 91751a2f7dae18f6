import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { decodeId } from '../../src/lib/ids.js';
import { Browsers, bundle } from '../testkit/browser.js';
import { eventually, World, type Person } from '../testkit/world.js';

/** What runs in the pages: rrweb itself, and the SDK as a partner's page uses it. */
const SCRIPT = `
import { record, Replayer } from 'rrweb';
import { OmniTalk } from './sdk/index.js';
import { shareBrowsing, watchBrowsing } from './sdk/browsing.js';

const g = globalThis;
g.asked = [];
g.done = [];
g.open = (url, accessToken) => { g.client = new OmniTalk({ url, accessToken }); };
g.build = (html) => { document.body.innerHTML = html; };

g.present = (documentId) => {
  // Something always happens, from the first batch on.
  let ticks = 0;
  const timer = setInterval(() => {
    document.getElementById('ticks')?.replaceChildren(String(++ticks));
    if (ticks === 60) clearInterval(timer);
  }, 20);
  g.sharing = shareBrowsing(g.client, documentId, {
    record,
    recordOptions: { maskInputOptions: { password: true } },
    onControl: ({ requesterIds }) => void g.asked.push(...requesterIds),
    onInput: (messages, userId) => {
      for (const { type, id, value } of messages) {
        const element = record.mirror.getNode(id);
        if (type === 'click') element.click();
        if (type === 'type') {
          element.value = value;
          element.dispatchEvent(new Event('input', { bubbles: true }));
        }
        g.done.push([userId, type]);
      }
    },
  });
  g.sharing.ended.then((reason) => (g.reason = reason.code ?? reason));
};

g.look = (documentId) => {
  const replayer = (g.replayer = new Replayer([], { liveMode: true }));
  replayer.startLive();
  g.watching = watchBrowsing(g.client, documentId, { onEvent: (event) => replayer.addEvent(event) });
  g.watching.ended.then((reason) => (g.reason = reason.code ?? reason));
};
g.shown = () => g.replayer.iframe.contentDocument;
g.idOf = (selector) => g.replayer.getMirror().getId(g.shown().querySelector(selector));

/** What somebody sees on a page, without what is rrweb's own. */
g.seen = (page) => ({
  text: page.body?.innerText.replaceAll(/\\s+/g, ' ').trim() ?? '',
  fields: [...page.querySelectorAll('input, textarea, select')].map((field) => [field.id, field.type === 'checkbox' ? field.checked : field.value]),
  classes: [...page.querySelectorAll('[class]')].map(({ classList }) => [...classList].filter((name) => !/^(rrweb|:)/.test(name)).join(' ')).filter(Boolean),
});
`;

const FORM = `
<h1 class="title">Order</h1><output id="ticks"></output>
<form onsubmit="return false">
  <input id="name"><input id="secret" type="password"><textarea id="note"></textarea>
  <select id="size"><option>S</option><option>M</option></select><input id="gift" type="checkbox">
  <button id="add" type="button" onclick="const li = document.createElement('li'); li.textContent = document.getElementById('name').value; document.getElementById('list').append(li)">Add</button>
</form>
<ul id="list"><li id="first">nothing yet</li></ul>`;

const AN_HOUR_AHEAD = `
  const Real = Date;
  globalThis.Date = class extends Real {
    static now() { return Real.now() + 3600000; }
    constructor(...given) { super(...(given.length ? given : [Real.now() + 3600000])); }
  };`;

interface Seen {
  text: string;
  fields: [id: string, value: unknown][];
  classes: string[];
}

describe('co-browsing in browsers, by rrweb', function () {
  this.timeout(60_000);
  let world: World;
  let browsers: Browsers;
  let ann: Person;
  let bob: Person;
  let documentId: string;
  let run = 0;
  before(async () => {
    browsers = await Browsers.start(await bundle(SCRIPT));
    world = await World.start({ settings: { CORS_ORIGINS: browsers.origin } });
  });
  beforeEach(async () => {
    run++;
    [ann, bob] = await world.people(`Ann_${run}`, `Bob_${run}`);
    const chatId = await world.groupChat(ann, [bob]);
    documentId = (await ann.api.startCoBrowsing({ input: { chatId, idempotencyKey: world.key() } })).startCoBrowsing.document.id;
  });
  afterEach(() => browsers.closePages());
  after(async () => {
    await browsers?.stop();
    await world?.stop();
  });

  const log = (): Promise<{ body: Buffer }[]> => world.sql<{ body: Buffer }>('select body from document_updates where document_id = $1', [decodeId('Document', documentId)]);
  const open = async (person: Person): Promise<Page> => {
    const page = await browsers.page();
    await page.evaluate(`open(${JSON.stringify(`${world.app.url}/graphql`)}, ${JSON.stringify(person.accessToken)})`);
    return page;
  };
  const present = async (html: string): Promise<Page> => {
    const page = await open(ann);
    await page.evaluate(`build(${JSON.stringify(html)})`);
    await page.evaluate(`present(${JSON.stringify(documentId)})`);
    await eventually(async () => (await log()).length > 0, 'the page is shown', 20_000);
    return page;
  };
  const look = async (): Promise<Page> => {
    const page = await open(bob);
    await page.evaluate(`look(${JSON.stringify(documentId)})`);
    return page;
  };
  const onPage = (page: Page): Promise<Seen> => page.evaluate('seen(document)');
  const shown = (page: Page): Promise<Seen> => page.evaluate('seen(shown())');
  const sees = async (hers: Page, his: Page, what: string): Promise<void> => {
    const same = async () => {
      const [is, looks] = await Promise.all([onPage(hers), shown(his)]);
      const hidden = is.fields.map(([id, value]) => [id, id === 'secret' ? '*'.repeat((value as string).length) : value]);
      return JSON.stringify({ ...is, fields: hidden }) === JSON.stringify(looks);
    };
    await eventually(same, what, 20_000).catch(async (error: Error) => assert.fail(`${error.message}: ${JSON.stringify(await onPage(hers))} is shown as ${JSON.stringify(await shown(his))}`));
  };

  it('who comes late sees the page as it is and as it goes on, asks for control, and acts on it', async () => {
    const hers = await present(FORM);
    await hers.type('#name', 'Apples');
    await hers.click('#add');
    await hers.type('#secret', 'very secret');
    await hers.evaluate(`document.getElementById('first').remove()`);
    const his = await look();
    await sees(hers, his, 'what was done before he came');

    await hers.fill('#name', 'Pears');
    await hers.click('#add');
    await hers.type('#note', 'ripe ones');
    await hers.selectOption('#size', 'M');
    await hers.check('#gift');
    await hers.evaluate(`{
      document.querySelector('h1').className = 'title busy';
      document.querySelector('#list li').textContent = 'Green apples';
      document.body.insertAdjacentHTML('beforeend', '<p class="total">2 <b>kinds</b></p>');
    }`);
    await sees(hers, his, 'what goes on');
    const { text, fields } = await shown(his);
    assert.match(text, /Green apples Pears 2 kinds/);
    assert.deepEqual(fields, [['name', 'Pears'], ['secret', '*'.repeat(11)], ['note', 'ripe ones'], ['size', 'M'], ['gift', true]]);
    const told = (await log()).map(({ body }) => (body[0] === 0x1f ? gunzipSync(body) : body).toString()).join();
    assert.deepEqual([told.includes('ripe'), told.includes('secret"'), /very|ery sec/.test(told)], [true, true, false], 'a password never leaves the page');

    const send = (message: string) => his.evaluate(`watching.sendControl(${message})`);
    await assert.rejects(send(`{ type: 'click', id: idOf('#add') }`), /control/i);
    await his.evaluate('watching.requestControl()');
    await eventually(async () => ((await hers.evaluate('asked')) as string[]).includes(bob.id), 'she is asked');
    await hers.evaluate(`sharing.grantControl(${JSON.stringify(bob.id)})`);
    await eventually(async () => (await his.evaluate('watching.control.controllerId')) === bob.id, 'he has control');
    await send(`{ type: 'type', id: idOf('#name'), value: 'Plums' }, { type: 'click', id: idOf('#add') }`);
    await eventually(async () => (await hers.inputValue('#name')) === 'Plums' && (await hers.innerText('#list')).includes('Plums'), 'what he does happens on her page');
    assert.deepEqual(await hers.evaluate('done'), [[bob.id, 'type'], [bob.id, 'click']]);
    await sees(hers, his, 'he sees what he did');
    await hers.evaluate('sharing.releaseControl()');
    await eventually(async () => (await his.evaluate('watching.control.controllerId')) === null, 'it is taken back');
    await assert.rejects(send(`{ type: 'click', id: idOf('#add') }`), /control/i);

    await hers.evaluate('sharing.end()');
    await eventually(async () => (await his.evaluate('globalThis.reason')) === 'ENDED', 'he is told that it is over');
    assert.deepEqual(browsers.complaints, []);
  });

  it('a large page is shown in pieces, and goes on', async () => {
    const noise = randomBytes(700_000).toString('hex');
    const rows = noise.match(/.{1,1000}/g)!.map((row) => `<p>${row}</p>`).join('');
    const hers = await present(`${FORM}<div>${rows}</div>`);
    const his = await look();
    await sees(hers, his, 'all of it');
    await hers.type('#name', 'Apples');
    await hers.click('#add');
    await sees(hers, his, 'what goes on');
    assert.equal(await hers.evaluate('globalThis.reason'), undefined);
    assert.deepEqual(browsers.complaints, []);
  });

  it('goes on with a page that was loaded again, and with one whose clock is wrong', async () => {
    const hers = await present(FORM);
    const his = await look();
    await hers.type('#name', 'Apples');
    await sees(hers, his, 'the page');
    await hers.addInitScript(AN_HOUR_AHEAD);
    await hers.reload();
    await hers.evaluate(`open(${JSON.stringify(`${world.app.url}/graphql`)}, ${JSON.stringify(ann.accessToken)})`);
    await hers.evaluate(`build(${JSON.stringify('<h2 class="other">Another page</h2><input id="name">')})`);
    await hers.evaluate(`present(${JSON.stringify(documentId)})`);
    await sees(hers, his, 'the other page');
    await hers.type('#name', 'Pears');
    await sees(hers, his, 'what goes on there');
    const late = await look();
    await hers.type('#name', ' and plums');
    await sees(hers, late, 'who comes late sees it too');
    assert.deepEqual(browsers.complaints, []);
  });
});
