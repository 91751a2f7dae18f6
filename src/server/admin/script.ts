import { MINOR_DIGITS } from '../../policies/money.js';

/**
 * What runs in the browser: signs in, asks for the figures, and draws them. Tokens are kept in the page's memory alone. Whatever comes from the API is set as text, never as
 * HTML.
 */
export const SCRIPT = String.raw`
(() => {
  const $ = (id) => document.getElementById(id);
  const SVG = 'http://www.w3.org/2000/svg';
  const WIDTH = 560, HEIGHT = 170, LEFT = 44, BOTTOM = 20, TOP = 8;
  let token = null;
  let refresh = null;

  function make(name, attributes = {}, ...children) {
    const element = name.startsWith('svg:') ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  async function post(query, variables) {
    const response = await fetch('/graphql', { method: 'POST', headers: { 'content-type': 'application/json', ...(token ? { authorization: 'Bearer ' + token } : {}) }, body: JSON.stringify({ query, variables }) });
    const { data, errors } = await response.json();
    if (errors) throw Object.assign(new Error(errors[0].message), { code: errors[0].extensions.code });
    return data;
  }

  async function ask(query, variables) {
    try {
      return await post(query, variables);
    } catch (error) {
      if (error.code !== 'TOKEN_EXPIRED' || !refresh) throw error;
      token = null;
      const { refreshSession } = await post('mutation($t: String!) { refreshSession(input: { refreshToken: $t }) { accessToken refreshToken } }', { t: refresh });
      ({ accessToken: token, refreshToken: refresh } = refreshSession);
      return post(query, variables);
    }
  }

  const FIGURES = 'query($since: DateTime!, $until: DateTime!) { analytics(since: $since, until: $until) { rolledUpAt days { day activePeople activePeople7 activePeople30 newPeople messages senders calls callMinutes participantMinutes carts orders buyers conversion botMessages botRequests revenue { gross { amount currency } refunds { amount } fees { amount } } } cohorts { week people active } } }';
  const AUDIT = '{ auditLog(first: 20) { edges { node { at action actor { handle } subjectId } } } }';

  const count = (n) => Math.round(n).toLocaleString('en');
  const percent = (n) => (n * 100).toFixed(1) + ' %';
  const dayOf = (text) => text.slice(0, 10);
  const MINOR_DIGITS = ${JSON.stringify(MINOR_DIGITS)};
  const inUnits = (amount, currency) => amount / 10 ** (MINOR_DIGITS[currency] ?? 2);
  const money = (amount, currency) => new Intl.NumberFormat('en', { style: 'currency', currency }).format(inUnits(amount, currency));

  /** As money, without its currency, for an axis. */
  const amount = (value, currency) => new Intl.NumberFormat('en', { notation: 'compact' }).format(inUnits(value, currency));

  /** A number that the axis can end with: 1, 2 or 5 times a power of ten. */
  function ceiling(most) {
    if (most <= 0) return 1;
    const power = 10 ** Math.floor(Math.log10(most));
    return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= most);
  }

  /** Bars of one series, or lines of several. */
  function chart(title, days, series, { bars = false, show = count, axis = show } = {}) {
    const top = ceiling(Math.max(0, ...series.flatMap(({ values }) => values)));
    const inner = WIDTH - LEFT - 6, height = HEIGHT - BOTTOM - TOP;
    const x = (index) => LEFT + ((index + 0.5) * inner) / Math.max(days.length, 1);
    const y = (value) => TOP + height * (1 - value / top);
    const svg = make('svg:svg', { viewBox: '0 0 ' + WIDTH + ' ' + HEIGHT, role: 'img', 'aria-label': title + ', ' + days.length + ' days' });
    for (const part of [0, 0.5, 1]) {
      svg.append(make('svg:line', { class: 'grid', x1: LEFT, x2: WIDTH - 6, y1: y(top * part), y2: y(top * part) }));
      svg.append(make('svg:text', { x: LEFT - 5, y: y(top * part) + 4, 'text-anchor': 'end' }, axis === count && !Number.isInteger(top * part) ? '' : axis(top * part)));
    }
    const every = Math.ceil(days.length / 6);
    days.forEach((day, index) => { if (index % every === 0) svg.append(make('svg:text', { x: x(index), y: HEIGHT - 5, 'text-anchor': 'middle' }, day.slice(5))); });
    series.forEach(({ name, values }, which) => {
      if (bars) {
        const width = Math.min(36, Math.max(1, (inner / Math.max(values.length, 1)) * 0.7 / series.length));
        values.forEach((value, index) => svg.append(make('svg:rect', { class: 'b' + which, x: x(index) - (width * series.length) / 2 + which * width, y: y(value), width, height: Math.max(0, TOP + height - y(value)) }, make('svg:title', {}, days[index] + ' ' + name + ': ' + show(value)))));
      } else {
        svg.append(make('svg:polyline', { class: 'l' + which, points: values.map((value, index) => x(index) + ',' + y(value)).join(' ') }));
        values.forEach((value, index) => svg.append(make('svg:circle', { class: 'b' + which, cx: x(index), cy: y(value), r: days.length > 40 ? 1.5 : 2.5 }, make('svg:title', {}, days[index] + ' ' + name + ': ' + show(value)))));
      }
    });
    const key = make('span', { class: 'key' }, ...series.map(({ name }, which) => make('span', {}, make('i', { class: 's' + which }), name)));
    return make('figure', {}, make('figcaption', {}, make('span', {}, title), series.length > 1 ? key : ''), svg);
  }

  const tile = (name, value) => make('div', { class: 'tile' }, make('b', {}, value), make('span', {}, name));

  function drawCohorts(cohorts) {
    const most = Math.max(0, ...cohorts.map(({ active }) => active.length));
    const head = make('tr', {}, make('th', {}, 'Week'), make('th', {}, 'New people'), ...Array.from({ length: most }, (_, age) => make('th', {}, age === 0 ? 'same week' : '+' + age)));
    const rows = cohorts.map(({ week, people, active }) => make('tr', {}, make('td', {}, dayOf(week)), make('td', {}, count(people)), ...Array.from({ length: most }, (_, age) => {
      if (age >= active.length) return make('td', {});
      const share = people ? active[age] / people : 0;
      const bar = make('svg:svg', { viewBox: '0 0 100 4', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, make('svg:rect', { width: share * 100, height: 4 }));
      bar.setAttribute('class', 'bar');
      return make('td', { class: 'r', title: count(active[age]) + ' of ' + count(people) }, percent(share), bar);
    })));
    $('cohorts').querySelector('table').replaceChildren(head, ...rows);
  }

  function drawAudit(entries) {
    const table = $('audit').querySelector('table');
    $('audit').hidden = entries === null;
    if (entries === null) return;
    table.replaceChildren(make('tr', {}, ...['When', 'Who', 'What', 'To'].map((text) => make('th', {}, text))), ...entries.map(({ at, actor, action, subjectId }) =>
      make('tr', {}, ...[at.replace('T', ' ').slice(0, 19), actor ? actor.handle : '—', action, subjectId].map((text) => make('td', {}, text)))));
  }

  async function draw() {
    const span = Number($('span').value);
    const end = Math.floor(Date.now() / 86400000) * 86400000 + 86400000;
    const [{ analytics }, audit] = await Promise.all([
      ask(FIGURES, { since: new Date(end - span * 86400000).toISOString(), until: new Date(end).toISOString() }),
      ask(AUDIT).then(({ auditLog }) => auditLog.edges.map(({ node }) => node), (error) => { if (error.code === 'FORBIDDEN') return null; throw error; }),
    ]);
    const { days, cohorts, rolledUpAt } = analytics;
    const names = days.map(({ day }) => dayOf(day));
    const of = (name) => days.map((day) => day[name]);
    const last = days.at(-1);
    $('asof').textContent = rolledUpAt ? 'As of ' + rolledUpAt.replace('T', ' ').slice(0, 19) + ' UTC.' : 'Nothing has been counted yet: the job runs every ten minutes.';
    const sum = (name) => of(name).reduce((total, value) => total + value, 0);
    const currencies = [...new Set(days.flatMap(({ revenue }) => revenue.map(({ gross }) => gross.currency)))];
    const earned = (currency, what) => days.map(({ revenue }) => revenue.find(({ gross }) => gross.currency === currency)?.[what].amount ?? 0);
    $('tiles').replaceChildren(...(last ? [
      tile('active today', count(last.activePeople)), tile('active in 7 days', count(last.activePeople7)), tile('active in 30 days', count(last.activePeople30)), tile('new people', count(sum('newPeople'))),
      tile('messages', count(sum('messages'))), tile('call minutes', count(sum('callMinutes'))), tile('orders', count(sum('orders'))),
      ...currencies.map((currency) => tile('sales', money(earned(currency, 'gross').reduce((a, b) => a + b, 0), currency))),
    ] : []));
    $('charts').replaceChildren(
      chart('Active people', names, [{ name: 'day', values: of('activePeople') }, { name: '7 days', values: of('activePeople7') }, { name: '30 days', values: of('activePeople30') }]),
      chart('New people', names, [{ name: 'new', values: of('newPeople') }], { bars: true }),
      chart('Messages', names, [{ name: 'people', values: of('messages') }, { name: 'bots', values: of('botMessages') }], { bars: true }),
      chart('Calls', names, [{ name: 'calls', values: of('calls') }], { bars: true }),
      chart('Minutes in calls', names, [{ name: 'calls', values: of('callMinutes') }, { name: 'of everybody', values: of('participantMinutes') }]),
      chart('Carts and orders', names, [{ name: 'carts', values: of('carts') }, { name: 'orders', values: of('orders') }], { bars: true }),
      chart('Conversion', names, [{ name: 'buyers of active people', values: of('conversion') }], { show: percent, axis: (n) => Math.round(n * 100) + ' %' }),
      chart('Asked of language models', names, [{ name: 'requests', values: of('botRequests') }], { bars: true }),
      ...currencies.map((currency) => chart('Sales, ' + currency, names, [{ name: 'sales', values: earned(currency, 'gross') }, { name: 'given back', values: earned(currency, 'refunds') }, { name: 'fees', values: earned(currency, 'fees') }], { bars: true, show: (value) => money(value, currency), axis: (value) => amount(value, currency) })),
    );
    drawCohorts(cohorts);
    drawAudit(audit);
  }

  function signedIn(name) {
    $('enter').hidden = name !== null;
    document.querySelector('nav').hidden = name === null;
    document.querySelector('main').hidden = name === null;
    $('who').textContent = name === null ? '' : '@' + name;
  }

  const failed = (error) => {
    token = refresh = null;
    signedIn(null);
    $('refused').textContent = error.message;
  };

  $('enter').addEventListener('submit', async (event) => {
    event.preventDefault();
    $('refused').textContent = '';
    try {
      const { signIn } = await post('mutation($email: String!, $password: String!) { signIn(input: { email: $email, password: $password, device: "Dashboard" }) { accessToken refreshToken user { handle } } }', { email: $('email').value, password: $('password').value });
      ({ accessToken: token, refreshToken: refresh } = signIn);
      $('password').value = '';
      await draw();
      signedIn(signIn.user.handle);
    } catch (error) {
      failed(error);
    }
  });
  $('span').addEventListener('change', () => draw().catch(failed));
  $('refresh').addEventListener('click', () => draw().catch(failed));
  $('leave').addEventListener('click', async () => {
    await ask('mutation { signOut(input: {}) { __typename } }').catch(() => undefined);
    token = refresh = null;
    for (const id of ['tiles', 'charts']) $(id).replaceChildren();
    for (const id of ['cohorts', 'audit']) $(id).querySelector('table').replaceChildren();
    signedIn(null);
  });
})();
`;
