import type { OwnPage } from '../own-page.js';
import { SCRIPT } from './script.js';

const STYLE = `
:root { --ink: #16202b; --soft: #5b6875; --line: #dfe5ea; --paper: #fff; --ground: #f3f6f8; --a: #1667c7; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --soft: #9aa7b4; --line: #2c3742; --paper: #18212a; --ground: #0f161c; --a: #5aa2f0; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
main { max-width: 26rem; margin: 8vh auto; padding: 1.5rem; background: var(--paper); border: 1px solid var(--line); border-radius: 12px; }
h1 { font-size: 1.15rem; margin: 0 0 .8rem; overflow-wrap: anywhere; } p { margin: .4rem 0; } .soft, label { color: var(--soft); }
form:not([hidden]) { display: grid; gap: .7rem; } label { display: grid; gap: .2rem; }
button, input { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: .5rem .8rem; }
button { cursor: pointer; } button.yes { background: var(--a); border-color: var(--a); color: #fff; } button:focus-visible, input:focus-visible { outline: 2px solid var(--a); outline-offset: 2px; }
.row { display: flex; gap: .7rem; margin-top: 1rem; } .row button { flex: 1; }
ul { margin: .6rem 0; padding-left: 1.2rem; } #refused { color: #c03030; min-height: 1.5em; overflow-wrap: anywhere; }
`;

const BODY = `
<main>
  <form id="enter" autocomplete="on" hidden>
    <h1>Sign in to OmniTalk</h1>
    <p class="soft">An app asks to act for you. Sign in to see which, and what it asks for.</p>
    <label>E-mail <input id="email" type="email" autocomplete="username" required></label>
    <label>Password <input id="password" type="password" autocomplete="current-password" required></label>
    <button type="submit" class="yes">Sign in</button>
  </form>
  <section id="ask" hidden>
    <h1><span id="app"></span> asks to act for you</h1>
    <p class="soft">A program of <span id="owner"></span>. You are <span id="who"></span>.</p>
    <p>It may then:</p>
    <ul id="scopes"></ul>
    <p class="soft">You can take this back at any time. Afterwards you are sent to <span id="to"></span>.</p>
    <div class="row"><button id="no" type="button">Do not allow</button><button id="yes" type="button" class="yes">Allow</button></div>
  </section>
  <p id="refused" role="alert"></p>
</main>
`;

/** `/authorize`: on which people say yes to an app of somebody else's (RFC 6749, 3.1), where the operator has no page of their own for it. */
export const CONSENT: OwnPage = { title: 'an app asks', style: STYLE, body: BODY, script: SCRIPT };
