// The five cards at the top: charts of the last two minutes, second by second, and the lag.

import { columns, lines, shares } from "./charts.js";
import { byId, el, figure, inOrder, labelName, percent, tone, write } from "./dom.js";

// The seconds that the service keeps. Charts with less data start at the shorter length.
const SECONDS = 120;
const SECONDS_MIN = 30;
// A second arrives up to two beats after its end.
const DELAY = 2;
// Moving average of the lines, in seconds: one batch makes no spike, and changes still show.
const SMOOTH = 3;
// The seconds that the large numbers are computed over.
const NOW = 10;
// Labels with a layer and a line of the legend each. Of a model with more labels these are the most
// frequent ones; the rest shares a layer.
const LAYERS_MAX = 5;
// Shares are compared with those of a minute ago.
const BEFORE = 60;

const sum = (values) => values.reduce((total, value) => total + value, 0);
const outcomes = (second) => sum(Object.values(second.labels)) + sum(Object.values(second.letters));

export class Figures {
  constructor() {
    this.lags = new Map();
    this.labels = [];
    this.begin({ now: 0, seconds: [], budget_ms: 100 });
  }

  /** Starts again from a snapshot. */
  begin({ now, seconds, budget_ms: budget }) {
    this.seconds = new Map(seconds.map((second) => [second.at, second]));
    for (const at of this.lags.keys()) if (at > now) this.lags.delete(at);
    this.budget = budget;
    write(byId("budget"), `budget ${figure(budget)} ms`);
    this.totals = { labels: {}, letters: {} };
    this.setClock(now);
  }

  /** Sets the clock to the service's, so that charts move on between news. */
  setClock(now) {
    this.behind = performance.now() / 1000 - now;
  }

  add(seconds) {
    for (const second of seconds) this.seconds.set(second.at, second);
  }

  /** The last second whose data has arrived. */
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
    // There is no data before the first second: draw no line there, rather than one at 0.
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
    const text = p99 === null ? "From poll to publish"
      : `p99 ${figure(p99)} ms from the poll · ${percent(within)} in budget`;
    note("latency", text, p99 === null ? "" : "soft");
    lines(plot("latency"), `Latency: ${p50 === null ? "none yet" : `p50 ${figure(p50)} ms, ${text}`}`, [
      { tone: "soft", points: most },
      { tone: "accent", points: half, filled: true },
    ], { mark: this.budget, unit: " ms" });
  }

  /** Labels with their own layer, from bottom to top, and those that share one. */
  layered() {
    const known = new Set(this.labels);
    for (const { labels } of this.seconds.values()) Object.keys(labels).forEach((l) => known.add(l));
    if (known.size <= LAYERS_MAX) return [inOrder(known), []];
    const count = (label) => this.totals.labels[label] ?? 0;
    const most = [...known].sort((a, b) => count(b) - count(a) || (a < b ? -1 : 1));
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
    const inWords = (part) => (part === null ? "–" : percent(part));
    const now = layers.map(({ labels }) => share(labels, places.at(-1)));
    // The legend has the order of the layers, top first, so that they differ not only by colour.
    byId("labels").querySelector(".legend").replaceChildren(...layers.map((layer, place) => el("li", {},
      el("i", { "data-tone": layer.tone }),
      el("b", { textContent: inWords(now[place]) }),
      el("span", { textContent: layer.name, title: layer.name }))).reverse());
    const before = layers.map(({ labels }) => share(labels, places.at(-1) - BEFORE));
    const described = layers.map(({ name }, place) =>
      `${name} ${inWords(now[place])}${before[place] === null ? "" : `, a minute ago ${inWords(before[place])}`}`);
    shares(plot("labels"), `Shares of labels: ${described.reverse().join("; ") || "none yet"}`,
      layers.map((layer) => ({
        tone: layer.tone, points: places.map((at) => share(layer.labels, at)),
      })));
    this.drawUnsure(around(places.at(-1), NOW));
  }

  drawUnsure(lately) {
    // A model without thresholds is never unsure: then there is nothing to show.
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
    // The service keeps no history of the lag: the line starts when the page was opened.
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

/** The size class with the upper bound `bound`, a power of two. */
const range = (bound) => (bound < 3 ? `${bound}` : `${bound / 2 + 1}–${bound}`);

/** The quantile `share` of the latencies in these seconds, in milliseconds; null without data. */
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

/** Sets the note below a chart, after a sample of the line that it describes, if any. */
function note(id, text, line = "") {
  const node = byId(id).querySelector(".note");
  if (node.textContent === text) return;
  node.replaceChildren(...(line ? [el("i", { className: "dash", "data-tone": line })] : []), text);
}
