// Small charts as inline SVG: lines, stacked shares, columns. Drawing only, without state; colours
// come from the style sheet, by `data-tone`.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 240;
const HEIGHT = 64;
// Columns are no wider than with this many.
const COLUMNS_MIN = 5;

function svg(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** Replaces the chart in `holder`; `sentence` describes it to screen readers. */
function draw(holder, sentence, nodes, high = "") {
  const chart = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": sentence,
  });
  chart.append(...nodes);
  const caption = document.createElement("span");
  caption.className = "caption";
  caption.setAttribute("aria-hidden", "true");
  caption.textContent = high;
  holder.replaceChildren(chart, caption);
}

const round = (value) => Math.round(value * 10) / 10;
const x = (place, count) => round((WIDTH * place) / Math.max(1, count - 1));

/** A path through the points, interrupted where they are null. */
function through(points, count, y) {
  let path = "";
  let open = false;
  points.forEach((value, place) => {
    if (value === null) open = false;
    else {
      path += `${open ? "L" : "M"}${x(place, count)} ${round(y(value))}`;
      open = true;
    }
  });
  return path;
}

/** The next round number that is not below `value`. */
function above(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= value);
}

/**
 * Lines over time, on a common scale from 0.
 *
 * `lines` are {tone, points, filled}; `mark` is drawn as a horizontal line.
 */
export function lines(holder, sentence, lines, { mark = null, unit = "" } = {}) {
  const values = lines.flatMap((line) => line.points.filter((value) => value !== null));
  const top = above(Math.max(1, ...values, mark ? mark * 1.15 : 0));
  const y = (value) => HEIGHT - 1.5 - ((HEIGHT - 4) * value) / top;
  const nodes = [];
  for (const { tone, points, filled } of lines) {
    const path = through(points, points.length, y);
    if (filled && path) {
      const known = points.map((value) => value ?? 0);
      const area = `${through(known, known.length, y)}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`;
      nodes.push(svg("path", { d: area, class: "area", "data-tone": tone }));
    }
    nodes.push(svg("path", { d: path, class: "line", "data-tone": tone }));
  }
  if (mark) nodes.push(svg("path", { d: `M0 ${y(mark)}H${WIDTH}`, class: "mark" }));
  draw(holder, sentence, nodes, `${top.toLocaleString("en")}${unit}`);
}

/** Shares over time, stacked to 1; `layers` are {tone, points}, with null for no data. */
export function shares(holder, sentence, layers) {
  const count = layers[0]?.points.length ?? 0;
  const below = new Array(count).fill(0);
  const nodes = [];
  for (const { tone, points } of layers) {
    const lower = [...below];
    points.forEach((share, place) => { below[place] += share ?? 0; });
    for (const [first, end] of stretches(points)) {
      const over = [];
      const under = [];
      for (let place = first; place < end; place += 1) {
        over.push(`${x(place, count)} ${round(HEIGHT * (1 - below[place]))}`);
        under.unshift(`${x(place, count)} ${round(HEIGHT * (1 - lower[place]))}`);
      }
      const d = `M${over.join("L")}L${under.join("L")}Z`;
      nodes.push(svg("path", { d, class: "layer", "data-tone": tone }));
    }
  }
  draw(holder, sentence, nodes);
}

/** Start and end (exclusive) of each run without nulls. */
function stretches(points) {
  const found = [];
  points.forEach((value, place) => {
    if (value === null) return;
    if (place === 0 || points[place - 1] === null) found.push([place, place + 1]);
    else found.at(-1)[1] = place + 1;
  });
  return found;
}

/** A bar chart; `columns` are [name, value]. */
export function columns(holder, sentence, columns) {
  const most = Math.max(1, ...columns.map(([, value]) => value));
  const step = WIDTH / Math.max(columns.length, COLUMNS_MIN);
  const nodes = columns.map(([, value], place) => {
    const height = value ? Math.max(2, (HEIGHT - 4) * (value / most)) : 0;
    return svg("rect", {
      x: round(place * step + step * 0.1), y: round(HEIGHT - height), width: round(step * 0.8),
      height: round(height), rx: 2, class: "column", "data-tone": "plain",
    });
  });
  draw(holder, sentence, nodes);
  const axis = document.createElement("span");
  axis.className = "axis";
  axis.setAttribute("aria-hidden", "true");
  for (const [name] of columns) {
    const tick = document.createElement("span");
    tick.textContent = name;
    tick.style.width = `${(100 * step) / WIDTH}%`;
    axis.append(tick);
  }
  holder.append(axis);
}
