// A list of any length: blocks of rows, of which those near the window are filled, and the others as high as they were.

const BLOCK = 40;
const FEW = 400; // rows that are all filled, for whoever searches with the browser

class List {
  constructor(holder, render) {
    this.holder = holder;
    this.render = render; // an element for a row
    this.rowHeight = 46;
    this.unfolded = new Set(); // rows that somebody has opened
    this.allUnfolded = false;
    this.watcher = new IntersectionObserver((seen) => seen.forEach((each) => {
      if (each.isIntersecting) this.fill(each.target);
      else this.empty(each.target);
    }), { rootMargin: '1200px 0px' });
  }

  show(rows) {
    this.watcher.disconnect();
    this.rows = rows;
    this.holder.replaceChildren();
    for (let first = 0; first < rows.length; first += BLOCK) {
      const block = element('div', { role: 'none', class: 'block' });
      block.first = first;
      block.style.height = `${Math.min(BLOCK, rows.length - first) * this.rowHeight}px`;
      this.holder.append(block);
      if (rows.length > FEW) this.watcher.observe(block);
      else this.fill(block);
    }
    this.holder.hidden = rows.length === 0;
  }

  fill(block) {
    if (block.firstChild) return;
    const rows = this.rows.slice(block.first, block.first + BLOCK);
    rows.forEach((row, index) => {
      const made = this.render(row), fold = made.querySelector('details');
      made.setAttribute('aria-posinset', block.first + index + 1);
      made.setAttribute('aria-setsize', this.rows.length);
      fold.open = this.allUnfolded || this.unfolded.has(row);
      fold.addEventListener('toggle', () => this.unfolded[fold.open ? 'add' : 'delete'](row));
      block.append(made);
    });
    block.style.height = '';
  }

  empty(block) {
    if (!block.firstChild || block.contains(document.activeElement) || this.kept) return;
    const height = block.getBoundingClientRect().height;
    if (!height) return; // it isn't shown at all
    block.style.height = `${height}px`;
    block.replaceChildren();
  }

  unfoldAll(open) {
    this.allUnfolded = open;
    this.unfolded.clear();
    this.show(this.rows);
  }

  // For paper: the first rows, whatever the window shows.
  fillFirst(count) {
    this.kept = true;
    [...this.holder.children].forEach((block) => {
      if (block.first < count) this.fill(block);
      else block.hidden = true;
    });
  }

  release() {
    this.kept = false;
    [...this.holder.children].forEach((block) => { block.hidden = false; });
  }
}

function signed(action) {
  return element('span', { class: 'sign mono', 'aria-hidden': 'true' }, about.signs[action] || '?');
}

function fieldTable(change) {
  const rows = [];
  for (const [name, cell] of Object.entries(change.fields || {})) {
    const sides = cell || {}, cleared = isEmptied(sides.after);
    if (change.action === 'create' && cleared) continue;
    const after = cleared ? '(cleared)' : named(change.entity, name, sides.after);
    const shown = change.action === 'create' ? [after] : [
      element('del', {}, 'before' in sides ? named(change.entity, name, sides.before) : '(not read)'),
      element('span', { class: 'arrow', 'aria-hidden': 'true' }, ' → '), element('span', { class: 'unseen' }, ' becomes '),
      element('ins', { class: cleared ? 'cleared' : null }, after)];
    rows.push(element('tr', {}, element('th', { scope: 'row' }, ...fieldName(change.entity, name)),
      element('td', {}, ...shown)));
  }
  return rows.length ? element('table', { class: 'fields' }, element('tbody', {}, rows)) : null;
}

// The first fields in one line, which a folded row shows.
function preview(change) {
  if (change.entity === 'timeline') {
    const cell = (name) => ((change.fields || {})[name] || {}).after || change[name];
    return [cell('start_date') ? when(cell('start_date')) : '', cell('title') ? value(cell('title')) : '']
      .filter((part) => part).join('  ');
  }
  const parts = [];
  for (const [name, cell] of Object.entries(change.fields || {})) {
    if (parts.length === 4) break;
    const after = isEmptied((cell || {}).after) ? '(cleared)' : named(change.entity, name, cell.after);
    if (change.action === 'create') {
      if (after !== '(cleared)' && after !== change.key) parts.push(after.slice(0, 60));
    } else {
      const before = 'before' in (cell || {}) ? named(change.entity, name, cell.before) : '(not read)';
      parts.push(`${labelOf(change.entity, name) || safe(name)}: ${before.slice(0, 60)} → ${after.slice(0, 60)}`);
    }
  }
  return parts.join(' · ');
}

function addressOf(change) {
  const base = about.addresses[change.entity];
  return base && /^\d+$/.test(String(change.id)) ? base + change.id : null;
}

const isPerson = (entity) => entity === 'lead' || entity === 'contact' || entity === 'timeline';

const personLink = (key) => element('a', { href: `#person=${encodeURIComponent(key)}` }, 'Everything about this person');

function changeBody(change, withPerson = true) {
  const address = addressOf(change), key = change.key ? String(change.key) : '';
  const links = [
    withPerson && key && isPerson(change.entity) ? personLink(key) : null,
    address ? element('a', { href: address, rel: 'noreferrer', target: '_blank' }, `Open #${change.id} in Freshsales`)
      : change.id ? element('span', { class: 'soft mono' }, `#${value(change.id)}`) : null,
  ].filter((link) => link);
  return [fieldTable(change), ...(change.warnings || []).map((each) =>
    element('p', { class: 'told' }, element('code', {}, safe(codeOf(each))), ' ', warningText(each))),
  links.length ? element('p', { class: 'links' }, links) : null];
}

function changeRow(change, open = false, withPerson = true) {
  const warned = (change.warnings || []).length, { outcome } = change;
  return element('div', { role: 'listitem', class: `row ${safe(outcome || change.action)}` },
    element('details', { open }, element('summary', {}, signed(change.action),
      element('span', { class: 'kind' }, [change.action, change.entity].filter((part) => part).map(safe).join(' ')),
      element('b', {}, value(change.key || '?')), change.name ? element('span', {}, value(change.name)) : null,
      outcome ? element('span', { class: `tag ${outcome === 'failed' ? 'bad' : 'wait'}` }, outcome === 'failed' ? 'failed' : 'not sent') : null,
      warned && outcome !== 'failed' ? element('span', { class: 'tag warn' }, counted(warned, 'warning')) : null,
      element('span', { class: 'preview' }, preview(change))), ...changeBody(change, withPerson)));
}

function failureRow(failure, open = false) {
  const told = failure._fsseg || {}, name = failure.event || failure.name;
  const original = Object.fromEntries(Object.entries(failure).filter(([key]) => key !== '_fsseg'));
  const whole = Object.keys(original).length ? JSON.stringify(original, null, 2) : String(told.raw || told.lost || '');
  return element('div', { role: 'listitem', class: 'row failure' },
    element('details', { open }, element('summary', {},
      element('span', { class: 'tag bad' }, safe(told.code || '?')), element('b', {}, value(people(failure)[0] || '–')),
      element('span', {}, [failure.type, name].filter((part) => part).map((part) => value(part).slice(0, 80)).join(' · ')),
      element('span', { class: 'preview mono' }, safe(place(told)))),
    told.message ? element('p', { class: 'said' }, told.stage === 'push' && told.status ? 'Freshsales said: ' : '',
      safe(String(told.message).slice(0, 2000)), told.status ? ` (HTTP ${told.status})` : '') : null,
    told.hint && told.hint !== told.message ? element('p', { class: 'remedy' }, safe(told.hint)) : null,
    told.key && !open ? element('p', { class: 'links' }, personLink(told.key)) : null,
    whole ? element('pre', { tabindex: '0', 'aria-label': 'The original event' },
      whole.split('\n').map(safe).join('\n')) : null));
}
