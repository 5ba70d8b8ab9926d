// Elements, numbers and colours. Texts are only ever set as `textContent`, never as markup.

const KNOWN = new Set(["positive", "negative", "neutral", "unsure"]);
// Colours for other labels. Further labels reuse them; each is shown with its name.
const OTHERS = 5;
let others = new Map();

/** An element; names in `props` with a hyphen are attributes, others properties. */
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

/** Shows or hides a node; does nothing if it is unchanged. */
export function show(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

/** Sets the text of a node; does nothing if it is unchanged. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** A number for people: one decimal below 10, thousands separated. */
export const figure = (value) => (Math.abs(value) < 10 ? tenth : whole).format(value);

/** A share in per cent; 100 % and 0 % only if they are exact. */
export function percent(share) {
  const rounded = Math.round(share * 100);
  if (rounded === 100 && share < 1) return "99 %";
  if (rounded === 0 && share > 0) return "1 %";
  return `${rounded} %`;
}

export const labelName = (label) => (label ? label.toLowerCase().replaceAll("_", " ") : "unscored");

/** Assigns colours to the labels of a model by their order, the same on every page. */
export function paint(labels) {
  const names = labels.map((label) => label.toLowerCase()).filter((name) => !KNOWN.has(name));
  others = new Map(names.map((name, place) => [name, `other-${place % OTHERS}`]));
}

/** The `data-tone` of a label: the name of its colour in the style sheet. */
export function tone(label) {
  const name = (label ?? "").toLowerCase();
  return KNOWN.has(name) ? name : (others.get(name) ?? "none");
}

/** Negative first, positive last, so that charts stack colours in the same order. */
export function inOrder(labels) {
  const rank = { negative: 0, neutral: 1, positive: 3, none: 4 };
  return [...labels].sort((a, b) => (rank[tone(a)] ?? 2) - (rank[tone(b)] ?? 2) || (a < b ? -1 : 1));
}

/** Rows of name, bar and number; the largest value has a full bar. */
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
