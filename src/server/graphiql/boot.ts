/**
 * What runs in the browser behind the GraphiQL package: hands it a fetcher that speaks to this server, operations over
 * HTTP and subscriptions over WebSocket (graphql-transport-ws), both with the headers of the tab's Headers editor.
 */
export const BOOT_SCRIPT = String.raw`
(() => {
  const url = new URL(location.pathname, location.href);

  async function post(params, headers) {
    const response = await fetch(url, { method: 'POST', headers: { accept: 'application/json', 'content-type': 'application/json', ...headers }, body: JSON.stringify(params) });
    return response.json();
  }

  /** One WebSocket a subscription, as long as it runs. */
  function subscribe(params, headers) {
    const results = [];
    let wake = () => undefined;
    let over = false;
    const push = (result) => { results.push(result); wake(); };
    const end = () => { over = true; wake(); };
    const socket = new WebSocket(url.href.replace(/^http/, 'ws'), 'graphql-transport-ws');
    const send = (message) => socket.send(JSON.stringify(message));
    const connectionParams = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    socket.onopen = () => send({ type: 'connection_init', payload: connectionParams });
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'connection_ack') send({ id: '1', type: 'subscribe', payload: params });
      else if (message.type === 'ping') send({ type: 'pong' });
      else if (message.type === 'next') push(message.payload);
      else if (message.type === 'error') { push({ errors: message.payload }); end(); socket.close(1000); }
      else if (message.type === 'complete') { end(); socket.close(1000); }
    };
    socket.onclose = ({ code, reason }) => {
      if (!over) push({ errors: [{ message: 'The connection was closed: ' + code + ' ' + reason }] });
      end();
    };
    return {
      [Symbol.asyncIterator]() { return this; },
      async next() {
        while (!results.length && !over) await new Promise((resolve) => (wake = resolve));
        return results.length ? { value: results.shift(), done: false } : { value: undefined, done: true };
      },
      async return() {
        end();
        socket.close(1000);
        return { value: undefined, done: true };
      },
    };
  }

  const isSubscription = (params, documentAST) =>
    (documentAST?.definitions ?? []).some((one) => one.kind === 'OperationDefinition' && one.operation === 'subscription' && (!params.operationName || one.name?.value === params.operationName));

  const options = JSON.parse(document.getElementById('options').textContent);
  YogaGraphiQL.renderYogaGraphiQL(document.getElementById('root'), {
    ...options,
    fetcher: (params, { headers = {}, documentAST } = {}) => (isSubscription(params, documentAST) ? subscribe(params, headers) : post(params, headers)),
  });
})();
`;
