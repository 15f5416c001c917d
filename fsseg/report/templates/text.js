'use strict';
// Words and elements. Data only ever becomes text: nothing here takes markup.
const about = JSON.parse(document.getElementById('about').textContent);
const byId = (id) => document.getElementById(id);

// The same characters that fsseg writes out everywhere else: control characters, and those that hide or reorder text.
const UNSAFE = new RegExp(
  '[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff'
  + '\\ufff9-\\ufffb\\ud800-\\udfff\\u{e0000}-\\u{e007f}]', 'gu');
const SHORT = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function safe(text) {
  return String(text).replace(UNSAFE, (char) => {
    const code = char.codePointAt(0), hex = code.toString(16);
    if (SHORT[char]) return SHORT[char];
    return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`;
  });
}

// A field's value on one line: text as it is, "" for empty text, (empty) for null, lists joined.
function value(data) {
  if (data === null || data === undefined) return '(empty)';
  if (typeof data === 'string') return safe(data.slice(0, 1000)) || '""';
  if (Array.isArray(data) && data.every((item) => item === null || typeof item !== 'object')) {
    return data.slice(0, 1000).map(value).join(', ') || '[]';
  }
  return typeof data === 'object' ? safe(JSON.stringify(data).slice(0, 1000)) : String(data);
}

// In running text: text in quotation marks.
const quoted = (data) => typeof data === 'string' && data ? `"${value(data)}"` : value(data);

const isEmptied = (after) => after === null || after === undefined || after === ''
  || (typeof after === 'object' && Object.keys(after).length === 0);
const number = (count) => count.toLocaleString('en-US');
const counted = (count, noun, plural) => `${number(count)} ${count === 1 ? noun : plural || `${noun}s`}`;
// Numbers as they are written in the file: a browser would round long ones.
const exact = (line) => JSON.parse(line, (key, held, context) =>
  typeof held === 'number' && context && context.source ? context.source : held);
const when = (text) => safe(String(text).slice(0, 16).replace('T', ' '));

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, held] of Object.entries(attributes)) {
    if (held === true) made.setAttribute(name, '');
    else if (held !== false && held !== null && held !== undefined) made.setAttribute(name, held);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ''));
  return made;
}

function drawn(tag, attributes = {}, text = '') {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, held] of Object.entries(attributes)) made.setAttribute(name, held);
  if (text) made.textContent = text;
  return made;
}

const labelOf = (entity, field) => (about.labels[entity] || {})[field] || '';

// What a field holds; beside the id of an owner, or of another choice, its name.
function named(entity, field, data) {
  const names = (about.choices[entity] || {})[field] || {}, text = value(data);
  return Object.hasOwn(names, text) ? `${safe(names[text])} (${text})` : text;
}

// "Job title job_title": what people see in Freshsales, beside the internal name.
function fieldName(entity, field) {
  const label = labelOf(entity, field);
  return label && label !== field
    ? [safe(label), ' ', element('code', {}, safe(field))] : [element('code', {}, safe(field))];
}

// In words: the text that a warning has, or what its code means.
function warningText(warning) {
  if (typeof warning !== 'object' || warning === null) {
    return safe(Object.hasOwn(about.warnings, warning) ? about.warnings[warning] : warning);
  }
  const known = Object.hasOwn(about.warnings, warning.code) ? about.warnings[warning.code] : warning.code;
  let meaning = warning.message || warning.hint || known;
  if ('value' in warning) {
    const where = warning.line ? place(warning) : 'left out';
    meaning = `${quoted(warning.value)} doesn't fit (${where}): ${meaning}`;
  }
  return safe(warning.name ? `${warning.name}: ${meaning}` : meaning);
}

function place(told) {
  const file = told.file === '-' ? 'stdin' : String(told.file || '');
  return told.line ? `${file} line ${told.line}` : file;
}

const codeOf = (warning) => typeof warning === 'object' && warning ? String(warning.code) : String(warning).split(':')[0];
