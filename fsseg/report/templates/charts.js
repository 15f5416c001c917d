// Charts as SVG, drawn for the width that they get and again when it changes; each has its numbers in words beside it.

const CHARTS = [];

function chart(holder, draw) {
  const redraw = () => {
    const width = Math.max(Math.floor(holder.clientWidth) - 32, 220); // but for the card's padding
    holder.replaceChildren(draw(width));
  };
  CHARTS.push(redraw);
  redraw();
  return redraw;
}

let lastWidth = window.innerWidth;
window.addEventListener('resize', () => {
  if (window.innerWidth !== lastWidth) CHARTS.forEach((redraw) => redraw());
  lastWidth = window.innerWidth;
});

// Rows of a name, stacked parts and a number; parts are [class, count] by the order of `kinds`.
function bars(rows, kinds, described) {
  return (width) => {
    const most = Math.max(1, ...rows.map((row) => row.total)), beside = Math.min(Math.round(width * 0.42), 230);
    // Names that have no room beside their bars stand above them.
    const fits = (wide) => Math.floor(wide / 7.4) - 1, above = rows.some((row) => row.name.length > fits(beside));
    const names = above ? 0 : beside, room = width - names - 62, head = above ? 20 : 0, step = 24 + head;
    const svg = drawn('svg', {
      width, height: rows.length * step + 2, viewBox: `0 0 ${width} ${rows.length * step + 2}`, role: 'img',
      'aria-label': described });
    rows.forEach((row, index) => {
      const top = index * step + head, longest = fits(above ? width : beside);
      const text = row.name.length > longest ? `${row.name.slice(0, longest - 1)}…` : row.name;
      const place = above ? { x: 0, y: top - 2 } : { x: names - 8, y: top + 16, 'text-anchor': 'end' };
      const name = drawn('text', { ...place, class: 'name' }, text);
      name.append(drawn('title', {}, row.name));
      svg.append(name);
      let left = names;
      kinds.forEach((kind) => {
        const count = row.parts[kind] || 0;
        if (!count) return;
        const wide = Math.max((count / most) * room, 1.5);
        const bar = drawn('rect', { x: left, y: top + 5, width: wide, height: 14, rx: 2, class: `part ${kind}` });
        bar.append(drawn('title', {}, `${row.name}: ${number(count)} ${kind}`));
        svg.append(bar);
        left += wide + 1;
      });
      svg.append(drawn('text', { x: left + 6, y: top + 16, class: 'count' }, number(row.total)));
    });
    return svg;
  };
}

// A column a step, of stacked parts: `steps` are {name, parts}; a line over them is `limit` high.
function columns(steps, kinds, described, { limit = 0, marks = [] } = {}) {
  return (width) => {
    const height = 170, foot = 22, head = 14, left = 46, room = width - left - 8, tall = height - foot - head;
    const total = (step) => kinds.reduce((sum, kind) => sum + (step.parts[kind] || 0), 0);
    const highest = Math.ceil(Math.max(1, limit, ...steps.map(total))), most = highest + (highest % 2); // so that half of it is told exactly
    const svg = drawn('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': described });
    [0, 0.5, 1].forEach((share) => {
      const y = head + tall * (1 - share);
      svg.append(drawn('line', { x1: left, x2: width - 8, y1: y, y2: y, class: 'grid' }));
      svg.append(drawn('text', { x: left - 6, y: y + 4, 'text-anchor': 'end', class: 'axis' },
        number(most * share)));
    });
    const each = room / steps.length, wide = Math.max(Math.min(each - 1, 34), 0.8);
    steps.forEach((step, index) => {
      let y = head + tall;
      kinds.forEach((kind) => {
        const count = step.parts[kind] || 0;
        if (!count) return;
        const high = Math.max((count / most) * tall, 1);
        y -= high;
        const bar = drawn('rect', {
          x: left + index * each + (each - wide) / 2, y, width: wide, height: high, class: `part ${kind}` });
        bar.append(drawn('title', {}, `${step.name}: ${number(count)} ${called(kind)}`));
        svg.append(bar);
      });
      if (marks.includes(index)) {
        svg.append(drawn('rect', { x: left + index * each, y: head, width: Math.max(each, 1.5), height: tall, class: 'wait' }));
      }
    });
    if (limit) {
      const y = head + tall * (1 - limit / most);
      svg.append(drawn('line', { x1: left, x2: width - 8, y1: y, y2: y, class: 'limit' }));
    }
    const labels = Math.max(1, Math.min(steps.length, Math.floor(room / (8 * Math.max(...steps.map((step) => step.name.length)) + 18))));
    for (let n = 0; n < labels; n += 1) {
      const index = labels === 1 ? 0 : Math.round((n * (steps.length - 1)) / (labels - 1));
      const middle = left + (index + 0.5) * each;
      const anchor = steps.length === 1 ? 'middle' : n === 0 ? 'start' : n === labels - 1 ? 'end' : 'middle';
      svg.append(drawn('text', {
        x: anchor === 'start' ? left : anchor === 'end' ? width - 8 : middle, y: height - 6, 'text-anchor': anchor,
        class: 'axis' }, steps[index].name));
    }
    return svg;
  };
}

function legend(kinds) {
  return element('p', { class: 'legend' }, kinds.map((kind) => element('span', { class: kind }, called(kind))));
}

// Nothing of a dry run was applied.
function called(kind) {
  return about.dry && kind === 'applied' ? 'would apply' : kind;
}

// The same numbers as a table, folded away, for whom a picture says nothing.
function asTable(caption, head, rows) {
  return element('details', { class: 'numbers' }, element('summary', {}, 'The numbers'),
    element('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': caption }, element('table', {},
      element('caption', { class: 'unseen' }, caption),
      element('thead', {}, element('tr', {}, head.map((name, at) =>
        element('th', { scope: 'col', class: at ? 'num' : null }, name)))),
      element('tbody', {}, rows.map(([name, ...counts]) => element('tr', {}, element('th', { scope: 'row' }, name),
        counts.map((count) => element('td', { class: `num${count ? '' : ' zero'}` }, number(count)))))))));
}
