/**
 * What runs in the browser: reads what the app asks for, signs the person in, shows who asks, and sends them back with a code or with their no. The token is kept in the page's
 * memory alone, and given back before they leave. Nobody is sent anywhere before the API has said that the address is the app's. Whatever comes from elsewhere is set as text.
 */
export const SCRIPT = String.raw`
(() => {
  const $ = (id) => document.getElementById(id);
  const asked = new URLSearchParams(location.search);
  const VERBS = { read: 'Read', write: 'Change' };
  const AREAS = {
    profile: 'your profile', people: 'your contacts and blocks', chats: 'your chats and messages', calls: 'your calls', statuses: 'your statuses', files: 'your files', documents: 'your documents',
    news: 'your news', notifications: 'your notifications', shops: 'your shops, carts and orders', bots: 'your bots', webhooks: 'what it is told of by itself',
  };
  let token = null;

  async function post(query, variables) {
    const response = await fetch('/graphql', { method: 'POST', headers: { 'content-type': 'application/json', ...(token ? { authorization: 'Bearer ' + token } : {}) }, body: JSON.stringify({ query, variables }) });
    const { data, errors } = await response.json();
    if (errors) throw new Error(errors[0].message);
    return data;
  }
  const refuse = (text) => { $('refused').textContent = text; };
  const show = (id) => { for (const one of ['enter', 'ask']) $(one).hidden = one !== id; };
  const words = (scope) => { const [area, verb] = scope.split(':'); return AREAS[area] && VERBS[verb] ? VERBS[verb] + ' ' + AREAS[area] + ' (' + scope + ')' : scope; };

  /** Nothing of what is wrong here is the person's to mend; and an address that was not looked at is not followed. */
  const mistake = asked.get('response_type') !== 'code' ? 'response_type is not code'
    : asked.get('code_challenge_method') !== 'S256' || !asked.get('code_challenge') ? 'there is no code_challenge by S256'
    : ['client_id', 'redirect_uri', 'scope'].map((name) => (asked.get(name) ? '' : 'there is no ' + name)).find(Boolean);
  if (mistake) return refuse('This link is not complete: ' + mistake + '. Go back to the app that has sent you here.');
  const request = { clientId: asked.get('client_id'), redirectUri: asked.get('redirect_uri'), scopes: asked.get('scope').split(' ').filter(Boolean) };
  show('enter');

  async function leave(to) {
    await post('mutation { signOut(input: {}) { __typename } }').catch(() => undefined);
    token = null;
    location.replace(to);
  }

  $('enter').addEventListener('submit', async (event) => {
    event.preventDefault();
    refuse('');
    try {
      const { signIn } = await post('mutation($email: String!, $password: String!) { signIn(input: { email: $email, password: $password, device: "Letting an app" }) { accessToken user { handle } } }', { email: $('email').value, password: $('password').value });
      token = signIn.accessToken;
      $('password').value = '';
      const { askingApp } = await post('query($clientId: ID!, $redirectUri: String!, $scopes: [String!]!) { askingApp(clientId: $clientId, redirectUri: $redirectUri, scopes: $scopes) { name owner { handle } scopes } }', request);
      $('app').textContent = askingApp.name;
      $('owner').textContent = '@' + askingApp.owner.handle;
      $('who').textContent = '@' + signIn.user.handle;
      $('to').textContent = new URL(request.redirectUri).host || request.redirectUri;
      $('scopes').replaceChildren(...askingApp.scopes.map((scope) => { const item = document.createElement('li'); item.textContent = words(scope); return item; }));
      show('ask');
    } catch (error) {
      if (token) await post('mutation { signOut(input: {}) { __typename } }').catch(() => undefined);
      token = null;
      refuse(error.message);
    }
  });
  $('yes').addEventListener('click', async () => {
    try {
      const { authorizeApp } = await post('mutation($input: AuthorizeAppInput!) { authorizeApp(input: $input) { redirectTo } }', { input: { ...request, codeChallenge: asked.get('code_challenge'), state: asked.get('state') } });
      await leave(authorizeApp.redirectTo);
    } catch (error) {
      refuse(error.message);
    }
  });
  $('no').addEventListener('click', () => {
    const to = new URL(request.redirectUri);
    to.searchParams.set('error', 'access_denied');
    if (asked.get('state') !== null) to.searchParams.set('state', asked.get('state'));
    return leave(to.href);
  });
})();
`;
