export interface ExampleTab {
  query: string;
  variables?: string;
  headers?: string;
}

const tab = (query: string, variables?: object, headers?: object): ExampleTab => ({
  query: query.trimStart(),
  ...(variables ? { variables: JSON.stringify(variables, null, 2) } : {}),
  ...(headers ? { headers: JSON.stringify(headers, null, 2) } : {}),
});

const ANN = { authorization: 'Bearer <Ann’s accessToken>' };
const BOB = { authorization: 'Bearer <Bob’s accessToken>' };

/**
 * The first steps of every client, one a tab: two people sign up, open a chat, and talk. Those that can be run
 * as they stand have their values in the operation: GraphiQL gives the tab that it opens with no variables, and others theirs a moment late.
 */
export const EXAMPLE_TABS: readonly ExampleTab[] = [
  tab(
    `
# 1 of 6. Sign up the first person.
#
# Press the play button. The answer holds Ann's accessToken:
# later tabs put it into the Headers editor below, as {
# "authorization": "Bearer <accessToken>" }. It lasts 15
# minutes; refreshSession makes a new one from the
# refreshToken.
mutation SignUpAnn {
  signUp(
    input: {
      email: "ann@example.com"
      password: "a password of Ann"
      handle: "ann"
      displayName: "Ann"
      device: "GraphiQL"
    }
  ) {
    accessToken
    refreshToken
    user {
      id
      handle
    }
  }
}
`,
  ),
  tab(
    `
# 2 of 6. Sign up the second person.
#
# Copy two things out of the answer: Bob's accessToken, and
# his user id (usr_…).
mutation SignUpBob {
  signUp(
    input: {
      email: "bob@example.com"
      password: "a password of Bob"
      handle: "bob"
      displayName: "Bob"
      device: "GraphiQL"
    }
  ) {
    accessToken
    user {
      id
      handle
    }
  }
}
`,
  ),
  tab(
    `
# 3 of 6. Ann opens a chat with Bob.
#
# Put Ann's accessToken into the Headers editor and Bob's
# user id into the Variables. A direct chat is found, not
# made twice: press play again and get the same id.
mutation OpenChat($input: CreateChatInput!) {
  createChat(input: $input) {
    chat {
      id
      kind
      eventCursor
    }
  }
}
`,
    { input: { kind: 'DIRECT', memberIds: ['<Bob’s user id>'], idempotencyKey: 'open-1' } },
    ANN,
  ),
  tab(
    `
# 4 of 6. Bob listens.
#
# Put Bob's accessToken into the Headers editor and the
# chat's id into the Variables, press play, and leave this
# tab running: events appear on the right. They come over a
# WebSocket, which is given the same Headers.
#
# The cursor of an event is where to go on: give the last
# one as "after", and nothing that happened since is missed.
subscription Listen($chatId: ID!, $after: EventCursor) {
  chatEvents(chatId: $chatId, after: $after) {
    __typename
    ... on StreamEvent {
      cursor
      at
    }
    ... on MessageSent {
      offset
      message {
        id
        text
        sender {
          displayName
        }
      }
    }
  }
}
`,
    { chatId: '<chat id>', after: null },
    BOB,
  ),
  tab(
    `
# 5 of 6. Ann says something.
#
# Ann's accessToken in the Headers, the chat's id in the
# Variables. A retry with the same idempotencyKey sends
# nothing twice: change the key for the next message. Open
# another browser window on the previous tab to watch Bob
# hear it.
mutation Send($input: SendMessageInput!) {
  sendMessage(input: $input) {
    message {
      id
      seq
      text
      createdAt
    }
  }
}
`,
    { input: { chatId: '<chat id>', text: 'Hello Bob!', idempotencyKey: 'send-1' } },
    ANN,
  ),
  tab(
    `
# 6 of 6. Read the history.
#
# Every list is a page of at most 100. extensions.cost in
# the answer tells what the operation cost and what is left
# for this minute.
query History($chatId: ID!) {
  chat(id: $chatId) {
    memberCount
    messages(last: 20) {
      edges {
        node {
          seq
          text
          sender {
            displayName
          }
        }
      }
      pageInfo {
        hasPreviousPage
        startCursor
      }
    }
  }
}
`,
    { chatId: '<chat id>' },
    BOB,
  ),
];
