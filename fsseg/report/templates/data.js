// The rows of a run: unpacked, looked through once for what they can be chosen by, and searched.

const pause = () => new Promise((go) => { setTimeout(go, 0); });
const SLICE = 16000; // rows between two pauses in which the page can answer

async function unpacked(id) {
  const text = byId(id).textContent.trim();
  if (!text) return '';
  // What all new browsers have is seventy times as quick.
  const bytes = Uint8Array.fromBase64 ? Uint8Array.fromBase64(text)
    : Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(stream).text();
}

// What a line of changes.jsonl holds beside data; whoever looks for one of these words means the data.
const FRAME = '{"action":"create","entity":"timeline","key":"","id":null,"fields":{"":{"before":null,"after":""}},'
  + '"name":"message":"hint":"code":"value":"file":"line":,"warnings":["updateunchangedconflictskippeddelete"]';

// Of a word that people see, what lines hold instead of it: the ids of owners and choices, and internal names of fields.
function heldFor(term) {
  const shown = (text) => String(text).toLowerCase().includes(term), held = new Set();
  Object.values(about.choices).forEach((fields) => Object.values(fields).forEach((names) =>
    Object.entries(names).forEach(([id, name]) => shown(name) && held.add(id.toLowerCase()))));
  Object.values(about.labels).forEach((fields) =>
    Object.entries(fields).forEach(([field, label]) => shown(label) && held.add(JSON.stringify(field).toLowerCase())));
  const escaped = [...held].map((each) => each.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return escaped.length ? new RegExp(escaped.join('|')) : null;
}

class Rows {
  constructor(text) {
    this.lines = text.split('\n').filter((line) => line);
    this.entity = [];
    this.action = []; // or failed, or pending
    this.codes = new Map(); // rows by the code of a warning
    this.fields = new Map(); // entity, then field: how many rows set, change and clear it
    this.counts = new Map(); // rows by entity, then action
  }

  get length() { return this.lines.length; }

  at(row) { return exact(this.lines[row]); }

  // The lines in small letters, made when somebody first searches.
  get lower() {
    if (!this.lowered) this.lowered = this.lines.map((line) => line.toLowerCase());
    return this.lowered;
  }

  async index() {
    for (let row = 0; row < this.lines.length; row += 1) {
      this.note(row, JSON.parse(this.lines[row]));
      if (row % SLICE === SLICE - 1) await pause();
    }
  }

  note(row, change) {
    const entity = String(change.entity), action = String(change.outcome || change.action);
    this.entity.push(entity);
    this.action.push(action);
    inner(this.counts, entity).set(action, (inner(this.counts, entity).get(action) || 0) + 1);
    for (const warning of change.warnings || []) {
      const code = codeOf(warning);
      if (!this.codes.has(code)) this.codes.set(code, new Set());
      this.codes.get(code).add(row);
    }
    if (entity === 'timeline' || change.outcome) return;
    const fields = inner(this.fields, entity);
    for (const name in change.fields || {}) {
      const cell = change.fields[name] || {};
      if (action === 'create' && isEmptied(cell.after)) continue;
      if (!fields.has(name)) fields.set(name, { set: 0, changed: 0, cleared: 0 });
      const kind = isEmptied(cell.after) ? 'cleared' : action === 'create' || isEmptied(cell.before) ? 'set' : 'changed';
      fields.get(name)[kind] += 1;
    }
  }

  // The rows that fit, in their order, but unchanged ones last; null once somebody has asked for others.
  async chosen({ query = '', entity = '', action = '', field = '', code = '' }, stillAsked = () => true) {
    const terms = query.toLowerCase().split(/\s+/).filter((term) => term);
    const needles = terms.map((term) => JSON.stringify(term).slice(1, -1)), held = terms.map(heldFor);
    const seen = (line) => needles.every((needle) => line.includes(needle));
    const meant = (line) => needles.every((needle, at) => line.includes(needle) || (held[at] && held[at].test(line)));
    const all = (row) => { const words = this.words(row); return terms.every((term) => words.includes(term)); };
    const unsure = terms.some((term) => FRAME.includes(term));
    const named = field && `${JSON.stringify(field)}:{`;
    const coded = code && (this.codes.get(code) || new Set());
    const found = [], same = [], lower = needles.length ? this.lower : [];
    for (let row = 0; row < this.lines.length; row += 1) {
      if ((!entity || this.entity[row] === entity)
        && (!action || this.action[row] === action)
        && (!coded || coded.has(row))
        && (!named || this.lines[row].includes(named))
        && (!terms.length || (!unsure && seen(lower[row])) || (meant(lower[row]) && all(row)))) (this.action[row] === 'unchanged' ? same : found).push(row);
      if (row % (unsure ? SLICE / 4 : SLICE) === 0 && row) {
        await pause();
        if (!stillAsked()) return null;
      }
    }
    return found.concat(same);
  }

  // All that somebody may look for in a row.
  words(row) {
    const change = this.at(row), parts = [change.key, change.name, change.id];
    for (const [name, cell] of Object.entries(change.fields || {})) {
      parts.push(name, labelOf(change.entity, name), named(change.entity, name, (cell || {}).before), named(change.entity, name, (cell || {}).after));
    }
    return [...parts, ...(change.warnings || []).map(warningText)].join('\n').toLowerCase();
  }

  // Whatever is about a person: their records and entries, and the deals that they are a contact of.
  about(person) {
    const needle = JSON.stringify(person.toLowerCase());
    const found = [];
    for (let row = 0; row < this.lines.length; row += 1) {
      if (!this.lower[row].includes(needle)) continue;
      const change = this.at(row), contacts = ((change.fields || {}).contacts || {}).after;
      const keys = [change.key, change.person, ...(Array.isArray(contacts) ? contacts : [])];
      if (keys.some((key) => String(key).toLowerCase() === person.toLowerCase())) found.push(change);
    }
    return found;
  }
}

// Failed events; they are searched as they stand.
class Failures extends Rows {
  note(row, failure) {
    const told = failure._fsseg || {}, code = String(told.code || '');
    this.entity.push('');
    this.action.push('');
    if (!this.codes.has(code)) this.codes.set(code, new Set());
    this.codes.get(code).add(row);
  }

  words(row) { return this.lower[row]; }

  about(person) {
    const needle = JSON.stringify(person.toLowerCase());
    return this.lines.filter((line, row) => this.lower[row].includes(needle)).map(exact)
      .filter((failure) => people(failure).some((each) => String(each).toLowerCase() === person.toLowerCase()));
  }
}

function inner(map, key) {
  if (!map.has(key)) map.set(key, new Map());
  return map.get(key);
}

function emailOf(event) {
  const context = event.context || {};
  for (const place of [event.traits, context.traits, event.properties]) {
    if (place && typeof place === 'object' && place.email) return place.email;
  }
  return null;
}

const people = (failure) =>
  [failure.userId, emailOf(failure), (failure._fsseg || {}).key, failure.anonymousId].filter((each) => each);
