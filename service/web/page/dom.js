// Elements, numbers and tones. Texts reach the page by `textContent` alone, never as markup.

const KNOWN = new Set(["positive", "negative", "neutral", "unsure"]);
// More labels than that share their colours; the name stands beside each.
const OTHERS = 5;
let others = new Map();

/** An element; `props` are properties, `data-…` and `aria-…` are attributes. */
export function el(name, props = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key.includes("-")) node.setAttribute(key, value);
    else node[key] = value;
  }
  node.append(...children);
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Shows or hides, and touches nothing where nothing changes. */
export function show(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

/** Sets the text, and touches nothing where nothing changes. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** A number as people read it: three figures that matter, thousands apart. */
export const figure = (value) => (Math.abs(value) < 10 ? tenth : whole).format(value);

/** A share of 1 in per cent; never 100 % or 0 % where it is not. */
export function percent(share) {
  const rounded = Math.round(share * 100);
  if (rounded === 100 && share < 1) return "99 %";
  if (rounded === 0 && share > 0) return "1 %";
  return `${rounded} %`;
}

export const labelName = (label) => (label ? label.toLowerCase().replaceAll("_", " ") : "unscored");

/** Gives the labels of a model their colours by their order in it: the same on every page. */
export function paint(labels) {
  const names = labels.map((label) => label.toLowerCase()).filter((name) => !KNOWN.has(name));
  others = new Map(names.map((name, place) => [name, `other-${place % OTHERS}`]));
}

/** The name of a label's colour in the style sheet. */
export function tone(label) {
  const name = (label ?? "").toLowerCase();
  return KNOWN.has(name) ? name : (others.get(name) ?? "none");
}

/** Negative first, positive last, so that colours lie in the same order everywhere. */
export function inOrder(labels) {
  const rank = { negative: 0, neutral: 1, positive: 3, none: 4 };
  return [...labels].sort((a, b) => (rank[tone(a)] ?? 2) - (rank[tone(b)] ?? 2) || (a < b ? -1 : 1));
}

/** Rows of name, bar and number, the bar by its share of the largest. */
export function bars(list, rows) {
  const most = Math.max(1, ...rows.map(([, value]) => value));
  list.replaceChildren(
    ...rows.map(([name, value, colour = "plain"]) => {
      const fill = el("i", { "data-tone": colour });
      fill.style.width = `${(100 * value) / most}%`;
      const row = el("li", {}, el("span", { textContent: name, title: name }));
      row.append(el("span", { className: "track", "aria-hidden": "true" }, fill));
      row.append(el("b", { textContent: figure(value) }));
      return row;
    }),
  );
}
