// What the page does: charts of what was counted, the lists with their filters, and the page of a person.

const KINDS = ['set', 'changed', 'cleared'];
const MOST_BARS = 15;
const MOST_COUNTED = 1000; // events that a summary has
const PRINTED = 200;

function options(select, entries, first) {
  select.replaceChildren(element('option', { value: '' }, first),
    ...entries.map(([held, text]) => element('option', { value: held }, text)));
  select.disabled = entries.length === 0;
}

// A list with what it is chosen by: `parts` are the form's fields by the name that `Rows.chosen` knows them by.
class Chooser {
  constructor(rows, list, parts, status, noun, hidden) {
    Object.assign(this, { rows, list, parts, status, noun, hidden, asked: 0 });
    for (const [name, part] of Object.entries(parts)) {
      part.addEventListener(name === 'query' ? 'input' : 'change', () => this.choose());
    }
  }

  async choose() {
    const mine = this.asked += 1;
    const wanted = Object.fromEntries(Object.entries(this.parts).map(([name, part]) => [name, part.value.trim()]));
    const found = await this.rows.chosen(wanted, () => mine === this.asked);
    if (found === null || mine !== this.asked) return;
    this.found = found;
    this.list.show(found);
    const all = found.length === this.rows.length;
    const more = this.hidden ? `; ${number(this.hidden)} more are only in the run's files` : '';
    this.status.textContent = (all ? counted(found.length, ...this.noun)
      : `${number(found.length)} of ${counted(this.rows.length, ...this.noun)}`) + more;
  }

  set(changes) {
    for (const [name, part] of Object.entries(this.parts)) part.value = changes[name] || '';
    return this.choose();
  }
}

const OUTCOMES = ['applied', 'unchanged', 'skipped', 'rejected', 'failed', 'pending'];

// The first days of all periods from the first to the last, those without events among them.
function periods(first, last, step) {
  const found = [], day = new Date(`${first}T00:00:00Z`);
  while (day.toISOString().slice(0, 10) <= last && found.length < 1000) {
    found.push(day.toISOString().slice(0, 10));
    if (step === 'month') day.setUTCMonth(day.getUTCMonth() + 1);
    else day.setUTCDate(day.getUTCDate() + (step === 'week' ? 7 : 1));
  }
  return found;
}

function drawTime() {
  const section = byId('by-time');
  if (!section || !about.by_time) return;
  const { step, from } = about.by_time, days = Object.keys(from);
  const types = [...new Set(days.flatMap((day) => Object.keys(from[day])))].sort();
  const all = periods(days[0], days[days.length - 1], step);
  const name = (day) => (step === 'month' ? day.slice(0, 7) : day);
  section.hidden = false;
  section.querySelector('h3').textContent = `By ${step}`;
  const steps = (type) => all.map((day) => {
    const parts = {};
    for (const [each, outcomes] of Object.entries(from[day] || {})) {
      if (type && each !== type) continue;
      for (const [outcome, count] of Object.entries(outcomes)) parts[outcome] = (parts[outcome] || 0) + count;
    }
    return { name: name(day), parts };
  });
  const sum = (counts) => Object.values(counts).reduce((one, other) => one + other, 0);
  const left = about.read - steps('').reduce((count, { parts }) => count + sum(parts), 0);
  if (left > 0) section.querySelector('h3').append(element('small', {}, `without ${counted(left, 'event')} whose time or type can't be read`));
  const kinds = OUTCOMES.filter((kind) => steps('').some((each) => each.parts[kind]));
  const select = element('select', {}, element('option', { value: '' }, 'All types'),
    types.map((type) => element('option', { value: type }, safe(type))));
  const holder = section.querySelector('.chart');
  holder.before(element('div', { class: 'above' }, legend(kinds), element('label', {}, 'Type ', select)));
  const first = all[0], last = all[all.length - 1];
  const described = () => `Events by ${step} from ${first} to ${last}, ${select.value || 'all types'}, by outcome`;
  const redraw = chart(holder, (width) => columns(steps(select.value), kinds, described())(width));
  select.addEventListener('change', redraw);
  section.append(asTable(`Events by ${step}`, [step, ...kinds.map(called)], steps('').filter((each) => Object.keys(each.parts).length)
    .map((each) => [each.name, ...kinds.map((kind) => each.parts[kind] || 0)])));
}

const FEWEST_STEPS = 5;
const STEPS_SHOWN = 120;
const WAITED_FOR = {
  quota: 'for the quota', rate_limited: 'after a refusal', burst: 'after a burst', unavailable: 'as Freshsales was unavailable',
  'an earlier request': 'for an earlier request', 'look-ups lag': 'as look-ups lag' };

function drawTraffic() {
  const section = byId('traffic'), { traffic } = about;
  if (!section || !traffic || (traffic.sent.length < FEWEST_STEPS && !traffic.waits.length)) return;
  const joined = Math.ceil(traffic.sent.length / STEPS_SHOWN), step = traffic.step_s * joined;
  const begin = Date.parse(traffic.from) / 1000, clock = (seconds) => new Date(seconds * 1000).toISOString();
  const days = clock(begin).slice(0, 10) !== clock(begin + traffic.step_s * traffic.sent.length).slice(0, 10);
  const name = (seconds) => (days ? when(clock(seconds)) : clock(seconds).slice(11, step < 60 ? 19 : 16));
  const steps = [];
  for (let at = 0; at < traffic.sent.length; at += joined) {
    const requests = traffic.sent.slice(at, at + joined).reduce((one, other) => one + other, 0);
    steps.push({ name: name(begin + at * traffic.step_s), parts: { requests } });
  }
  const marks = [];
  traffic.waits.forEach(({ from, to }) => steps.forEach((_, at) => {
    const starts = begin + at * step;
    if (Date.parse(from) / 1000 < starts + step && Date.parse(to) / 1000 > starts && !marks.includes(at)) marks.push(at);
  }));
  const allowed = about.per_hour ? Math.round((about.per_hour * step) / 360) / 10 : 0;
  const limit = allowed >= 1 ? allowed : 0, unit = step % 60 ? counted(step, 'second') : counted(step / 60, 'minute');
  const told = limit ? `; the quota, spread evenly, allows ${number(limit)}` : '';
  section.hidden = false;
  section.querySelector('h3').append(element('small', {}, `a column is ${unit}${told}`));
  const kinds = [element('span', { class: 'requests' }, 'requests')];
  if (limit) kinds.push(element('span', { class: 'even' }, 'the quota, spread evenly'));
  if (marks.length) kinds.push(element('span', { class: 'waiting' }, 'waiting'));
  const holder = section.querySelector('.chart');
  holder.before(element('p', { class: 'legend' }, kinds));
  chart(holder, columns(steps, ['requests'], `Requests by time, ${counted(traffic.waits.length, 'wait')}`, { limit, marks }));
  if (traffic.waits.length) {
    const seconds = ({ from, to }) => (Date.parse(to) - Date.parse(from)) / 1000;
    section.append(asTable('Waits', ['from', 'seconds'], traffic.waits.map((wait) =>
      [`${when(wait.from)} ${Object.hasOwn(WAITED_FOR, wait.reason) ? WAITED_FOR[wait.reason] : safe(wait.reason)}`, seconds(wait)])));
  }
}

// How many rows there are of those that have bars.
function tellMost(section, rows) {
  if (rows.length > MOST_BARS) section.querySelector('h3').append(element('small', {}, `the ${MOST_BARS} most frequent of ${number(rows.length)}${rows.length < MOST_COUNTED ? '' : ' or more'}`));
}

function drawFields(changes) {
  const rows = [];
  for (const [entity, fields] of changes.fields) {
    for (const [name, parts] of fields) {
      rows.push({ entity, field: name, name: `${entity} · ${safe(name)}`, parts,
        total: parts.set + parts.changed + parts.cleared });
    }
  }
  const section = byId('by-field');
  if (!rows.length) return section.remove();
  rows.sort((one, other) => other.total - one.total || (one.name < other.name ? -1 : 1));
  const kinds = KINDS.filter((kind) => rows.some((row) => row.parts[kind]));
  tellMost(section, rows);
  if (about.hidden_changes) section.querySelector('h3').append(element('small', {}, 'of the records in this page'));
  const described = `Records by field: ${rows.slice(0, 5).map((row) => `${row.name} ${number(row.total)}`).join(', ')}`;
  chart(section.querySelector('.chart'), bars(rows.slice(0, MOST_BARS), kinds, described));
  section.querySelector('.chart').before(legend(kinds));
  section.append(asTable('Records by field', ['field', ...KINDS], rows.map((row) =>
    [element('span', {}, safe(row.entity), ' ', ...fieldName(row.entity, row.field)), ...KINDS.map((kind) => row.parts[kind])])));
}

function drawEntries() {
  const section = byId('by-event');
  if (!section || !about.entries.length) return;
  const rows = about.entries.map(([name, total]) => ({ name, total, parts: { entries: total } }));
  const described = `Timeline entries by event and activity type: ${rows.slice(0, 5).map((row) => `${row.name} ${number(row.total)}`).join(', ')}`;
  section.hidden = false;
  tellMost(section, rows);
  chart(section.querySelector('.chart'), bars(rows.slice(0, MOST_BARS), ['entries'], described));
  section.append(asTable('Timeline entries by event', ['event → activity type', 'entries'], rows.map((row) => [row.name, row.total])));
}

function csvCell(text) {
  const cell = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

// What is chosen as a table, a line for each field, with cells that no spreadsheet takes for a formula.
function saveCsv(changes, found) {
  const lines = ['action,entity,key,id,field,label,before,after,warnings'];
  for (const row of found) {
    const change = changes.at(row), fields = Object.entries(change.fields || {});
    const warnings = (change.warnings || []).map(warningText).join('; ');
    for (const [name, cell] of fields.length ? fields : [['', {}]]) {
      const held = cell || {}, text = (side) => side === null || side === undefined ? '' : value(side);
      lines.push([change.action, change.entity, value(change.key || ''), change.id || '', safe(name),
        labelOf(change.entity, name), text(held.before), text(held.after), warnings].map(String).map(csvCell).join(','));
    }
  }
  const url = URL.createObjectURL(new Blob([`\ufeff${lines.join('\r\n')}\r\n`], { type: 'text/csv' }));
  element('a', { href: url, download: `changes-${about.run}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

function setUpChanges(changes, list) {
  const form = byId('change-filters').elements, sum = (map) => [...map.values()].reduce((one, other) => one + other, 0);
  const entities = [...changes.counts].map(([entity, counts]) => [entity, `${safe(entity)} (${number(sum(counts))})`]);
  const actions = new Map();
  for (const counts of changes.counts.values()) {
    for (const [action, count] of counts) actions.set(action, (actions.get(action) || 0) + count);
  }
  const fields = [...new Set([...changes.fields.values()].flatMap((names) => [...names.keys()]))].sort();
  options(form.entity, entities, 'All kinds');
  options(form.action, [...actions].map(([action, count]) => [action, `${safe(action)} (${number(count)})`]), 'All actions');
  options(form.field, fields.map((name) => [name, safe(name)]), 'Any field');
  options(form.code, [...changes.codes].map(([code, rows]) => [code, `${safe(code)} (${number(rows.size)})`]), 'Any reason');
  const parts = { query: form.query, entity: form.entity, action: form.action, field: form.field, code: form.code };
  const chooser = new Chooser(changes, list, parts, byId('change-count'), ['record or entry', 'records and entries'],
    about.hidden_changes);
  byId('unfold').addEventListener('click', (event) => {
    const open = event.target.getAttribute('aria-pressed') !== 'true';
    event.target.setAttribute('aria-pressed', String(open));
    list.unfoldAll(open);
  });
  byId('save').addEventListener('click', () => saveCsv(changes, chooser.found));
  return chooser;
}

// Which events came in and what they set, where the page was made for one person.
function historyParts(person) {
  const { history } = about;
  if (!history || person !== about.person || !history.events.length) return [];
  const table = (title, head, rows) => [element('h3', {}, title, element('small', {}, number(rows.length))),
    element('div', { class: 'card scroll', tabindex: '0', role: 'group', 'aria-label': title }, element('table', { class: 'history' },
      element('thead', {}, element('tr', {}, head.map((name) => element('th', { scope: 'col' }, name)))),
      element('tbody', {}, rows.map((cells) => element('tr', {}, cells.map((cell) => element('td', { class: 'wrap' }, cell)))))))];
  return [
    ...table('Events', ['time', 'event', 'sets', 'became', 'where'], history.events.map((each) => [when(each.time),
      [each.type, each.name].filter((text) => text).map(safe).join(' · '), safe(each.sets.join(', ')), safe(each.became), safe(each.place)])),
    ...table('Fields, and since which event', ['record', 'field', 'value', 'since', 'became'], history.fields.map((each) =>
      [safe(each.record), element('code', {}, safe(each.field)), safe(each.value), when(each.time), safe(each.became)])),
  ];
}

function showPerson(person, changes, failures) {
  const view = byId('person'), isAlone = person === about.person; // nothing else is in a page that is made for them
  const [found, failed] = [changes, failures].map((rows) => isAlone ? rows.lines.map(exact) : rows.about(person));
  const records = found.filter((change) => change.entity !== 'timeline');
  const time = (change) => String(((change.fields || {}).start_date || {}).after || change.start_date || '');
  const entries = found.filter((change) => change.entity === 'timeline')
    .sort((one, other) => (time(one) < time(other) ? -1 : 1));
  const name = (field) => records.map((change) => ((change.fields || {})[field] || {}).after).find((held) => held);
  const heading = element('h2', { tabindex: '-1' }, safe(person));
  const part = (title, rows) => rows.length ? [element('h3', {}, title, element('small', {}, number(rows.length))),
    element('div', { class: 'card', role: 'list', 'aria-label': title }, rows)] : [];
  view.replaceChildren(element('p', {}, element('a', { href: '#changes' }, '← The whole report')), heading,
    element('p', { class: 'soft' }, [name('first_name'), name('last_name')].filter((each) => each).map(value).join(' ')),
    about.history ? '' : element('p', {}, 'Their events, and which of them set which field, are told by a page of their own, as that takes the inputs to be read again: ',
      element('code', {}, `${about.report} --person ${/^[\w.@+-]+$/.test(person) ? person : '…'} --format html > person.html`)),
    ...historyParts(person),
    ...part('Events that need you', failed.map((failure) => failureRow(failure, true))),
    ...part(about.dry ? 'What would change' : 'Records', records.map((change) => changeRow(change, true, false))),
    ...part('Timeline', entries.map((change) => changeRow(change, false, false))),
    ...(found.length || failed.length ? [] : [element('p', {}, 'Nothing in this page is about them.')]),
  );
  heading.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function onAddress(changes, failures) {
  const [name, held] = window.location.hash.slice(1).split('=');
  let person = name ? '' : about.person || '';
  try {
    if (name === 'person' && held) person = decodeURIComponent(held);
  } catch { /* an address that somebody typed */ }
  const was = byId('person').hidden;
  byId('person').hidden = !person;
  byId('whole').hidden = Boolean(person);
  if (person) showPerson(person, changes, failures);
  else if (!was) {
    CHARTS.forEach((redraw) => redraw());
    const target = byId(name || 'changes');
    if (target) target.scrollIntoView();
  }
}

async function start() {
  drawTime();
  drawTraffic();
  drawEntries();
  byId('loading').hidden = false;
  const changes = new Rows(await unpacked('changes-data')), failures = new Failures(await unpacked('failures-data'));
  const whose = (failure) => (failure._fsseg || {}).key || people(failure)[0];
  const isOf = (failure, change) => (failure.type !== 'track' && failure.type !== 'page' ? change.entity !== 'timeline'
    : change.entity === 'timeline' && Date.parse(((change.fields || {}).start_date || {}).after) === Date.parse(failure.timestamp));
  const sentOf = (failure) => (failure._fsseg || {}).stage === 'push' && whose(failure)
    ? changes.about(String(whose(failure))).filter((change) => isOf(failure, change)
      && (change.warnings || []).some((each) => codeOf(each) === failure._fsseg.code)) : [];
  let allThere = null;
  const indexed = new Promise((resolve) => { allThere = resolve; }); // a failure may be unfolded before
  const failureList = new List(byId('failure-list'), (row) => {
    const failure = failures.at(row), made = failureRow(failure), fold = made.querySelector('details');
    fold.addEventListener('toggle', async () => {
      await indexed;
      if (fold.open && !fold.told) sentOf(failure).slice(0, 3).reverse().forEach((change) => {
        const table = fieldTable(change);
        const told = failure._fsseg.status ? 'What was sent' : 'What was to be sent';
        if (table) fold.querySelector('summary').after(element('p', { class: 'soft' }, `${told}: ${change.action} ${change.entity}`), table);
      });
      fold.told = fold.told || fold.open;
    });
    return made;
  });
  const changeList = new List(byId('change-list'), (row) => changeRow(changes.at(row)));
  await failures.index();
  let failureChooser = null;
  if (failures.length) {
    const form = byId('failure-filters').elements;
    options(form.code, [...failures.codes].map(([code, rows]) => [code, `${safe(code)} (${number(rows.size)})`]), 'Any reason');
    failureChooser = new Chooser(failures, failureList, { query: form.query, code: form.code }, byId('failure-count'),
      ['event'], about.hidden_failures);
    await failureChooser.choose();
  }
  if (changes.length) changeList.show(Array.from(changes.lines.keys()));
  await changes.index();
  allThere();
  byId('loading').hidden = true;
  if (changes.length) {
    byId('by-field').hidden = false; // before it's drawn, as they share the width
    drawFields(changes);
    CHARTS.forEach((redraw) => redraw()); // one alone has all the width
    const chooser = setUpChanges(changes, changeList);
    await chooser.choose();
    document.querySelectorAll('[data-code]').forEach((link) => link.addEventListener('click', () => {
      if (link.hash === '#failures' && failureChooser) failureChooser.set({ code: link.dataset.code });
      if (link.hash === '#changes') chooser.set({ code: link.dataset.code });
    }));
  }
  window.addEventListener('beforeprint', () => {
    document.querySelectorAll('details.more').forEach((fold) => { fold.open = true; });
    [failureList, changeList].forEach((list) => list.rows && list.fillFirst(PRINTED));
  });
  window.addEventListener('afterprint', () => [failureList, changeList].forEach((list) => list.release()));
  window.addEventListener('hashchange', () => onAddress(changes, failures));
  onAddress(changes, failures);
  document.documentElement.dataset.ready = 'true';
}

document.querySelectorAll('button[data-copy]').forEach((button) => {
  button.hidden = !navigator.clipboard;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
});

start().catch((error) => {
  byId('loading').textContent = `The records can't be shown here (${error.message}): changes.jsonl holds them all.`;
});
