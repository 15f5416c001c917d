'use strict';
// The records as a sales rep sees them. Data only ever becomes text: nothing here takes markup.

const byId = (id) => document.getElementById(id);
const counted = (count, noun) => `${count.toLocaleString('en-US')} ${count === 1 ? noun : `${noun}s`}`;
// Control characters, and those that hide or reorder text, are written out.
const UNSAFE = new RegExp('[\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e'
  + '\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}]', 'gu');
const safe = (text) => String(text).replace(UNSAFE, (char) => `\\u${char.codePointAt(0).toString(16).padStart(4, '0')}`);
const shown = (held) => safe(plain(held));
const plain = (held) => held === null || held === undefined || held === '' ? '(empty)'
  : Array.isArray(held) ? held.join(', ') : typeof held === 'object' ? JSON.stringify(held) : String(held);
const time = (text) => {
  const moment = new Date(text);
  return (Number.isNaN(moment.valueOf()) ? String(text) : moment.toISOString()).slice(0, 16).replace('T', ' ');
};
const MARKS = { create: 'new', update: 'changed', timeline: 'new on the timeline' };
const asked = new URLSearchParams(window.location.search);
const [, pathKind, pathId] = window.location.pathname.match(/^\/(\w+)\/(\d+)$/) || [];
const state = { kind: asked.get('kind') || '', query: asked.get('q') || '', changed: asked.get('changed') === '1', number: 0 };

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, held] of Object.entries(attributes)) {
    if (held === true) made.setAttribute(name, '');
    else if (held !== false && held !== null && held !== undefined) made.setAttribute(name, held);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ''));
  return made;
}

async function ask(path, parameters = {}) {
  const answer = await fetch(`/_sandbox/page/${path}?${new URLSearchParams(parameters)}`);
  if (!answer.ok) throw new Error(answer.status === 404 ? 'There is no such record (any more).' : `It answered ${answer.status}.`);
  return answer.json();
}

const mark = (action) => action ? element('span', { class: `mark ${action}` }, MARKS[action] || action) : null;
const address = (kind, id) => `/${kind}/${id}`;

async function drawTabs() {
  const { edition, kinds, run } = await ask('overview');
  byId('edition').textContent = `${edition} Freshsales on this machine`;
  state.kind = kinds.some(({ kind }) => kind === state.kind) ? state.kind : (kinds.find(({ count }) => count) || kinds[0]).kind;
  byId('tabs').replaceChildren(...kinds.map(({ kind, count }) => element('li', {}, element('a', {
    href: `/?kind=${kind}`, 'aria-current': kind === (pathKind || state.kind) ? 'page' : null }, `${kind} ${count.toLocaleString('en-US')}`))));
  if (run.id) {
    byId('run').textContent = `Marked is what the last run changed: ${run.id}${run.finished_at ? `, ${time(run.finished_at)}` : ''}. Times are UTC.`;
    byId('run').hidden = false;
  }
  return { kinds, run };
}

async function drawList(kinds, run) {
  const mine = state.number += 1;
  const parameters = { q: state.query, changed: state.changed ? '1' : '' };
  const { total, columns, rows } = await ask(state.kind, parameters);
  if (mine !== state.number) return;
  const body = element('tbody', {}), more = element('button', { type: 'button' }, 'Show more');
  const add = (some) => some.forEach((row) => body.append(element('tr', {},
    row.cells.map((cell, at) => at === 0
      ? element('th', { scope: 'row' }, element('a', { href: address(state.kind, row.id) }, shown(cell)), mark(row.mark))
      : element('td', {}, safe(cell))))));
  add(rows);
  more.hidden = rows.length >= total;
  more.addEventListener('click', async () => {
    const next = await ask(state.kind, { ...parameters, offset: body.children.length });
    add(next.rows);
    more.hidden = body.children.length >= total || !next.rows.length;
  });
  const changed = (kinds.find(({ kind }) => kind === state.kind) || {}).changed || 0;
  const toggle = run.id ? element('button', { type: 'button', 'aria-pressed': String(state.changed) }, `Only what the last run changed (${changed})`) : null;
  if (toggle) toggle.addEventListener('click', () => { state.changed = !state.changed; remember(); drawList(kinds, run); });
  byId('view').replaceChildren(element('h2', { class: 'unseen' }, state.kind),
    element('p', { class: 'more' }, element('span', { role: 'status', id: 'total' }, counted(total, state.kind.slice(0, -1))), toggle),
    total ? element('div', { class: 'card scroll' }, element('table', { class: 'list' },
      element('thead', {}, element('tr', {}, columns.map((name) => element('th', { scope: 'col' }, name)))), body)) : '',
    element('p', { class: 'more' }, more));
}

function remember() {
  const query = new URLSearchParams({ kind: state.kind, q: state.query, changed: state.changed ? '1' : '' });
  window.history.replaceState(null, '', `/?${query}`);
}

function drawFields(fields) {
  return element('div', { class: 'card' }, element('table', { class: 'fields' }, element('tbody', {}, fields.map((each) =>
    element('tr', { class: each.changed ? 'changed' : null, title: each.name }, element('th', { scope: 'row' }, shown(each.label)),
      element('td', {}, each.changed && each.before !== null && each.before !== undefined
        ? [element('del', {}, element('span', { class: 'unseen' }, 'was '), shown(each.before)), ' '] : '',
      shown(each.value)))))));
}

function drawTimeline(entries) {
  if (!entries.length) return element('p', { class: 'soft' }, 'Nothing is on this timeline.');
  return element('ol', { class: 'timeline' }, entries.map((entry) => element('li', { class: entry.new ? 'new' : null },
    element('div', {}, element('time', {}, time(entry.time)), element('b', { class: 'wrap' }, shown(entry.title)), entry.new ? mark('create') : null),
    entry.text ? element('details', {}, element('summary', {}, shown(entry.what)), element('pre', {}, safe(entry.text)))
      : element('div', { class: 'soft' }, shown(entry.what)))));
}

async function drawRecord() {
  const record = await ask(`${pathKind}/${pathId}`);
  document.title = `${shown(record.title)} · Sandbox`;
  byId('view').replaceChildren(
    element('p', {}, element('a', { href: `/?kind=${record.kind}` }, `← All ${record.kind}`)),
    element('h2', {}, shown(record.title), mark(record.mark)),
    element('p', { class: 'soft' }, `${record.kind.slice(0, -1)} #${record.id} · created ${time(record.created_at)} · updated ${time(record.updated_at)}`),
    element('div', { class: 'both' },
      element('div', {}, element('h3', {}, 'Fields'), drawFields(record.fields),
        record.tied.length ? [element('h3', {}, 'Tied to'), element('ul', { class: 'card tied' }, record.tied.map((each) =>
          element('li', {}, element('span', {}, each.kind.slice(0, -1)), element('a', { href: address(each.kind, each.id) }, shown(each.title)))))] : ''),
      element('div', {}, element('h3', {}, 'Timeline', element('small', {}, record.timeline.length.toLocaleString('en-US'))),
        drawTimeline(record.timeline))));
}

async function start() {
  const { kinds, run } = await drawTabs();
  byId('query').value = state.query;
  byId('find').addEventListener('submit', (event) => event.preventDefault());
  byId('query').addEventListener('input', () => {
    state.query = byId('query').value;
    if (pathId) state.kind = pathKind;
    remember();
    drawList(kinds, run);
  });
  if (pathId) await drawRecord();
  else await drawList(kinds, run);
}

start().catch((error) => {
  byId('problem').textContent = error.message;
  byId('problem').hidden = false;
}).finally(() => { document.documentElement.dataset.ready = 'true'; });
