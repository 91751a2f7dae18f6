/** What the page shows; it holds no figures itself: its script asks the API for them. */
export const PAGE = `
<header>
  <h1>OmniTalk</h1>
  <nav hidden>
    <label>Span <select id="span"><option value="7">7 days</option><option value="30" selected>30 days</option><option value="90">90 days</option></select></label>
    <button id="refresh" type="button">Refresh</button>
    <span id="who"></span>
    <button id="leave" type="button">Sign out</button>
  </nav>
</header>
<form id="enter" autocomplete="on">
  <h2>Sign in</h2>
  <p>For analysts and administrators.</p>
  <label>E-mail <input id="email" type="email" autocomplete="username" required></label>
  <label>Password <input id="password" type="password" autocomplete="current-password" required></label>
  <button type="submit">Sign in</button>
  <p id="refused" role="alert"></p>
</form>
<main hidden>
  <p id="asof"></p>
  <section id="tiles" aria-label="The newest day"></section>
  <section id="charts" aria-label="By day"></section>
  <section class="wide" id="cohorts"><h2>Who came back</h2><table></table></section>
  <section class="wide" id="audit"><h2>What was done</h2><table></table></section>
</main>
`;

export const STYLE = `
:root { --ink: #16202b; --soft: #5b6875; --line: #dfe5ea; --paper: #fff; --ground: #f3f6f8; --a: #1667c7; --b: #d9822b; --c: #2a8f6a; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --soft: #9aa7b4; --line: #2c3742; --paper: #18212a; --ground: #0f161c; --a: #5aa2f0; --b: #f0a860; --c: #5cc79e; } }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
header { display: flex; gap: 1rem; align-items: center; justify-content: space-between; flex-wrap: wrap; padding: .7rem 1.2rem; background: var(--paper); border-bottom: 1px solid var(--line); }
h1 { font-size: 1.1rem; margin: 0; } h2 { font-size: .95rem; margin: 0 0 .5rem; }
nav:not([hidden]) { display: flex; gap: .7rem; align-items: center; flex-wrap: wrap; }
button, select, input { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: .3rem .7rem; }
button { cursor: pointer; } button:focus-visible, select:focus-visible, input:focus-visible { outline: 2px solid var(--a); outline-offset: 1px; }
form:not([hidden]) { display: grid; gap: .7rem; max-width: 22rem; margin: 10vh auto; padding: 1.5rem; background: var(--paper); border: 1px solid var(--line); border-radius: 10px; }
form label { display: grid; gap: .2rem; } form p { margin: 0; color: var(--soft); } #refused { color: #c03030; }
main { max-width: 1280px; margin: 0 auto; padding: 1rem 1.2rem 3rem; } #asof { color: var(--soft); margin: 0 0 .8rem; }
#tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: .8rem; margin-bottom: .8rem; }
.tile, figure, .wide { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: .8rem 1rem; margin: 0; }
.tile b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; } .tile span { color: var(--soft); }
#charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: .8rem; }
figcaption { display: flex; justify-content: space-between; gap: .6rem; flex-wrap: wrap; font-weight: 600; font-size: .95rem; } .key { font-weight: 400; color: var(--soft); display: flex; gap: .7rem; }
.key i { display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin-right: .3em; } .s0 { background: var(--a); } .s1 { background: var(--b); } .s2 { background: var(--c); }
svg { width: 100%; height: 170px; display: block; margin-top: .4rem; } svg text { fill: var(--soft); font-size: 11px; } svg .grid { stroke: var(--line); }
svg .l0, svg .l1, svg .l2 { fill: none; stroke-width: 2; } svg .l0 { stroke: var(--a); } svg .l1 { stroke: var(--b); } svg .l2 { stroke: var(--c); } svg .b0 { fill: var(--a); } svg .b1 { fill: var(--b); } svg .b2 { fill: var(--c); }
.wide { margin-top: .8rem; overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; } th { color: var(--soft); font-weight: 500; }
td.r { text-align: right; } svg.bar { height: 4px; margin-top: 2px; } svg.bar rect { fill: var(--a); }
.none { color: var(--soft); }
`;
