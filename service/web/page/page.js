// The page as a whole: passes news to its parts, draws the header, and handles keys.

import { Box } from "./box.js";
import { bars, byId, el, paint, show, write } from "./dom.js";
import { Figures } from "./figures.js";
import { Messages, place } from "./messages.js";
import { listen } from "./stream.js";

const LETTERS = 12;
const SAMPLED_S = 10;

const box = new Box();
const figures = new Figures();
// As in the style sheet: one column, and no hovering.
const narrow = matchMedia("(max-width: 800px)");
const touch = matchMedia("(hover: none)");
const messages = new Messages((text) => {
  box.ask(text);
  // Focus would open an on-screen keyboard, which would cover the answer.
  if (touch.matches) byId("box").scrollIntoView({ block: narrow.matches ? "start" : "nearest" });
  else byId("sentence").focus({ preventScroll: !narrow.matches });
});
let connection = "wait";
let status = null;
let letters = [];
let arrived = [];

const STATES = {
  live: "Live",
  wait: "Connecting",
  lost: "Connection lost; trying again",
  asleep: "Asleep",
};

function drawState() {
  const notReady = connection === "live" ? status?.not_ready : null;
  const state = byId("state");
  state.dataset.kind = notReady ? "not-ready" : connection;
  write(state.firstElementChild, notReady ? `Not ready: ${notReady}` : STATES[connection]);
}

function drawStatus() {
  const { model, labels, partitions, epoch, rebalances, queued, lags } = status;
  paint(labels);
  figures.labels = labels;
  const facts = model
    ? [["Model", model.name], ["Engine", `${model.engine} ${model.precision}`], ["Device", model.kernel ? `${model.device}, ${model.kernel}` : model.device]]
    : [["Model", "loading"]];
  facts.push(["Partitions", partitions], ["Epoch", epoch]);
  byId("facts").replaceChildren(...facts.map(([name, value]) => el("div", {},
    el("dt", { textContent: name }), el("dd", { textContent: value, title: value }))));
  if (model) byId("facts").firstElementChild.lastElementChild.title = `${model.name} ${model.revision}`;
  write(byId("group"), `${rebalances} ${rebalances === 1 ? "rebalance" : "rebalances"} · ${queued} waiting for the model`);
  bars(byId("lags"), [...lags].sort(([one], [other]) => one.localeCompare(other, "en", { numeric: true })));
  show(byId("no-lags"), !lags.length);
  figures.lag(status.lag);
  drawState();
}

function drawLetters(totals) {
  if (totals) {
    const rows = Object.entries(totals.letters).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const all = rows.reduce((sum, [, count]) => sum + count, 0);
    const scored = Object.values(totals.labels).reduce((sum, count) => sum + count, 0);
    bars(byId("reasons"), rows.map(([reason, count]) => [reason, count, "letter"]));
    write(byId("letters-total"), all
      ? `${all.toLocaleString("en")}, ${(100 * all / (all + scored)).toFixed(1)} % of all` : "");
  }
  if (!messages.paused) {
    byId("letter-list").replaceChildren(...letters.map((letter) => el("li", {},
      el("b", { textContent: letter.reason }),
      el("bdi", { className: "text", textContent: letter.detail }),
      el("span", { className: "meta", textContent: place(letter) }))));
  }
  show(byId("no-letters"), !letters.length);
}

function take(data) {
  figures.setClock(data.now);
  if (data.seconds) figures.add(data.seconds);
  if (data.totals) figures.totals = data.totals;
  if (data.status) {
    status = data.status;
    drawStatus();
  }
  if (data.letters) letters = [...[...data.letters].reverse(), ...letters].slice(0, LETTERS);
  if (data.letters || data.totals) drawLetters(data.totals);
}

listen({
  snapshot(data) {
    figures.begin(data);
    letters = [];
    write(byId("version"), data.version);
    box.offer(data.explain);
    messages.explains = data.explain;
    arrived = [];
    take({ ...data, seconds: null });
    messages.begin(data);
    figures.draw();
  },
  news(data) {
    take(data);
    if (data.messages) {
      arrived.push(...data.messages.map(() => figures.end));
      messages.add(data.messages);
    }
  },
  state(kind) {
    connection = kind;
    drawState();
  },
});

// Charts are drawn every second, even without news, so that a stream that has stopped is visible.
setInterval(() => {
  if (connection !== "live") return;
  figures.draw();
  const since = figures.end - SAMPLED_S;
  arrived = arrived.filter((at) => at > since);
  const all = [...figures.seconds.values()].filter((second) => second.at > since)
    .reduce((sum, second) => sum + Object.values(second.labels).reduce((a, b) => a + b, 0), 0);
  messages.sampled(arrived.length, all);
}, 1000);

const KEYS = {
  p: () => messages.pause(!messages.paused),
  t: () => byId("sentence").focus(),
  s: () => byId("source").focus(),
  l: () => byId("label").focus(),
};

const keysOn = byId("keys-on");
keysOn.checked = localStorage.getItem("keys") !== "off";
keysOn.addEventListener("change", () => localStorage.setItem("keys", keysOn.checked ? "on" : "off"));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    messages.clear();
    return;
  }
  // Keys typed into a field belong to the field.
  if (event.target.closest("textarea, select, input:not([type=checkbox])")) return;
  const action = keysOn.checked && KEYS[event.key.toLowerCase()];
  if (action) {
    event.preventDefault();
    action();
  }
});
