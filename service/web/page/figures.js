// The five cards at the top: what the seconds of the last two minutes say, and the lag.

import { columns, lines, shares } from "./charts.js";
import { byId, el, figure, inOrder, labelName, percent, tone, write } from "./dom.js";

// As many seconds as the service remembers; a chart that has fewer begins with a part of them.
const SECONDS = 120;
const SECONDS_MIN = 30;
// A second is told of up to two beats after its end.
const DELAY = 2;
// Long enough that one batch makes no spike, short enough to follow a change.
const SMOOTH = 3;
const NOW = 10;
// Labels with a layer and a line of the legend each, as many as have room. Of a model with more,
// those that were called most, and the rest as one.
const LAYERS_MAX = 5;
// Long enough ago that a change since then is one.
const BEFORE = 60;

const sum = (values) => values.reduce((total, value) => total + value, 0);
const outcomes = (second) => sum(Object.values(second.labels)) + sum(Object.values(second.letters));

export class Figures {
  constructor() {
    this.lags = new Map();
    this.labels = [];
    this.begin({ now: 0, seconds: [], budget_ms: 100 });
  }

  /** Begins anew with all that the service remembers. */
  begin({ now, seconds, budget_ms: budget }) {
    this.seconds = new Map(seconds.map((second) => [second.at, second]));
    for (const at of this.lags.keys()) if (at > now) this.lags.delete(at);
    this.budget = budget;
    write(byId("budget"), `budget ${figure(budget)} ms`);
    this.totals = { labels: {}, letters: {} };
    this.tell(now);
  }

  /** Says what the service's clock shows, so that time goes on between two pieces of news. */
  tell(now) {
    this.behind = performance.now() / 1000 - now;
  }

  add(seconds) {
    for (const second of seconds) this.seconds.set(second.at, second);
  }

  /** The last second that is known whole. */
  get end() {
    return Math.floor(performance.now() / 1000 - this.behind) - DELAY;
  }

  lag(records) {
    this.lags.set(this.end + DELAY, records);
  }

  draw() {
    const end = this.end;
    for (const kept of [this.seconds, this.lags]) {
      for (const at of kept.keys()) if (at <= end - SECONDS - SMOOTH) kept.delete(at);
    }
    const first = Math.min(...this.seconds.keys());
    const length = Math.max(SECONDS_MIN, Math.min(SECONDS, end - first + 1 || 0));
    const places = Array.from({ length }, (_, place) => end - length + 1 + place);
    const around = (at, length) => {
      const found = [];
      for (let one = at - length + 1; one <= at; one += 1) {
        if (this.seconds.has(one)) found.push(this.seconds.get(one));
      }
      return found;
    };
    this.drawRate(places, around, first);
    this.drawLatency(places, around);
    this.drawLabels(places, around);
    this.drawBatches(around(end, 60));
    this.drawLag(places);
  }

  drawRate(places, around, first) {
    // Nothing is known of the time before the first second: no line there, not one at nought.
    const points = places.map((at) =>
      at < first + SMOOTH - 1 ? null : sum(around(at, SMOOTH).map(outcomes)) / SMOOTH);
    const end = places.at(-1);
    const whole = Math.max(1, Math.min(NOW, end - first + 1));
    const rate = sum(around(end, NOW).map(outcomes)) / whole;
    const scored = sum(Object.values(this.totals.labels));
    big("rate", first === Infinity ? "–" : figure(rate));
    note("rate", `${scored.toLocaleString("en")} scored since the start`);
    lines(plot("rate"), `${figure(rate)} messages a second`, [
      { tone: "accent", points, filled: true },
    ]);
  }

  drawLatency(places, around) {
    const half = [];
    const most = [];
    for (const at of places) {
      const known = around(at, SMOOTH);
      half.push(quantile(known, 0.5));
      most.push(quantile(known, 0.99));
    }
    const lately = around(places.at(-1), NOW);
    const [p50, p99] = [quantile(lately, 0.5), quantile(lately, 0.99)];
    big("latency", p50 === null ? "–" : figure(p50));
    const within = 1 - sum(lately.map((s) => s.late)) / Math.max(1, sum(lately.map(outcomes)));
    const said = p99 === null ? "From poll to publish"
      : `p99 ${figure(p99)} ms · ${percent(within)} in budget`;
    note("latency", said, p99 === null ? "" : "soft");
    lines(plot("latency"), `Latency: ${p50 === null ? "none yet" : `p50 ${figure(p50)} ms, ${said}`}`, [
      { tone: "soft", points: most },
      { tone: "accent", points: half, filled: true },
    ], { mark: this.budget, unit: " ms" });
  }

  /** Labels that have a layer each, the lowest first, and those that share one. */
  layered() {
    const known = new Set(this.labels);
    for (const { labels } of this.seconds.values()) Object.keys(labels).forEach((l) => known.add(l));
    if (known.size <= LAYERS_MAX) return [inOrder(known), []];
    const called = (label) => this.totals.labels[label] ?? 0;
    const most = [...known].sort((a, b) => called(b) - called(a) || (a < b ? -1 : 1));
    return [inOrder(most.slice(0, LAYERS_MAX - 1)), most.slice(LAYERS_MAX - 1)];
  }

  drawLabels(places, around) {
    const [own, rest] = this.layered();
    const layers = own.map((label) => ({ name: labelName(label), tone: tone(label), labels: [label] }));
    if (rest.length) layers.unshift({ name: `${rest.length} more`, tone: "none", labels: rest });
    const share = (labels, at) => {
      const lately = around(at, NOW).map((second) => second.labels);
      const all = sum(lately.map((of) => sum(Object.values(of))));
      return all ? sum(lately.flatMap((of) => labels.map((label) => of[label] ?? 0))) / all : null;
    };
    const said = (part) => (part === null ? "–" : percent(part));
    const now = layers.map(({ labels }) => share(labels, places.at(-1)));
    // The legend has the order of the layers, the uppermost first: colour is not all that tells.
    byId("labels").querySelector(".legend").replaceChildren(...layers.map((layer, place) => el("li", {},
      el("i", { "data-tone": layer.tone }),
      el("b", { textContent: said(now[place]) }),
      el("span", { textContent: layer.name, title: layer.name }))).reverse());
    const before = layers.map(({ labels }) => share(labels, places.at(-1) - BEFORE));
    const told = layers.map(({ name }, place) =>
      `${name} ${said(now[place])}${before[place] === null ? "" : `, a minute ago ${said(before[place])}`}`);
    shares(plot("labels"), `Shares of labels: ${told.reverse().join("; ") || "none yet"}`,
      layers.map((layer) => ({
        tone: layer.tone, points: places.map((at) => share(layer.labels, at)),
      })));
    this.drawUnsure(around(places.at(-1), NOW));
  }

  drawUnsure(lately) {
    // A model without a threshold is sure of everything, which is not worth a word.
    const ever = [...this.seconds.values()].some(({ unsure }) => unsure);
    const all = sum(lately.map(({ labels }) => sum(Object.values(labels))));
    note("labels", ever && all
      ? `${percent(sum(lately.map(({ unsure }) => unsure)) / all)} unsure` : "Shares over time");
  }

  drawBatches(seconds) {
    const sizes = new Map();
    for (const second of seconds) {
      for (const [bound, count] of Object.entries(second.batches)) {
        sizes.set(Number(bound), (sizes.get(Number(bound)) ?? 0) + count);
      }
    }
    const most = Math.max(...sizes.keys());
    const rows = [];
    for (let bound = 1; bound <= most; bound *= 2) rows.push([bound, sizes.get(bound) ?? 0]);
    const all = sum(sizes.values());
    let reached = 0;
    const typical = rows.find(([, count]) => (reached += count) * 2 >= all && count);
    big("batches", typical ? range(typical[0]) : "–");
    note("batches", all ? `${all.toLocaleString("en")} batches in the last minute` : "No batch in the last minute");
    columns(plot("batches"), `Batches by size: ${rows.map(([b, n]) => `${range(b)}: ${n}`).join(", ") || "none"}`,
      rows.map(([bound, count]) => [`${bound}`, count]));
  }

  drawLag(places) {
    // The service remembers none: the line begins where the page was opened.
    const length = places.at(-1) + DELAY - Math.min(...this.lags.keys()) + 1 || 0;
    let last = null;
    const points = places.slice(-Math.max(SECONDS_MIN, length))
      .map((at) => (last = this.lags.get(at + DELAY) ?? last));
    const now = [...this.lags.values()].at(-1);
    big("lag", now === undefined ? "–" : now.toLocaleString("en"));
    note("lag", "Not yet published, all partitions");
    lines(plot("lag"), now === undefined ? "Lag not known yet" : `Lag: ${now} records`, [
      { tone: "accent", points, filled: true },
    ]);
  }
}

/** The size class that ends at `bound`: a power of two. */
const range = (bound) => (bound < 3 ? `${bound}` : `${bound / 2 + 1}–${bound}`);

/** The latency that this share of the outcomes in these seconds kept below; null without any. */
function quantile(seconds, share) {
  const counts = seconds.flatMap((second) => second.latency).sort((a, b) => a[0] - b[0]);
  const wanted = share * sum(counts.map(([, count]) => count));
  let reached = 0;
  for (const [ms, count] of counts) {
    reached += count;
    if (reached >= wanted) return ms;
  }
  return null;
}

const plot = (id) => byId(id).querySelector(".plot");
const big = (id, text) => write(byId(id).querySelector("b"), text);

/** Says something below a chart, with the sample of a line before it where it is about one. */
function note(id, text, line = "") {
  const node = byId(id).querySelector(".note");
  if (node.textContent === text) return;
  node.replaceChildren(...(line ? [el("i", { className: "dash", "data-tone": line })] : []), text);
}
