// The list of scored messages: bounded, with filters, and with a pause.

import { byId, el, labelName, show, tone, write } from "./dom.js";

// Messages that filters apply to, messages on the page at once, and sources in the filter.
const KEPT = 200;
const SHOWN = 40;
const SOURCES = 40;

export class Messages {
  /** `why(text)` is called by the button of a message, shown if the service `explains`. */
  constructor(why) {
    this.why = why;
    this.explains = false;
    this.kept = [];
    this.held = 0;
    this.paused = false;
    for (const id of ["source", "label"]) byId(id).addEventListener("change", () => this.draw());
    byId("pause").addEventListener("click", () => this.pause(!this.paused));
  }

  /** Starts again from a snapshot; a paused list stays as it is. */
  begin({ messages, include_text: includeText }) {
    show(byId("no-texts"), !includeText);
    const known = new Set(this.kept.map(key));
    const last = this.kept[0]?.at ?? 0;
    // Add only messages that are newer than the newest row, since older ones were shown before.
    this.add(messages.filter((message) => !known.has(key(message)) && message.at >= last));
  }

  add(messages) {
    if (!messages.length) return;
    this.kept = [...[...messages].reverse(), ...this.kept].slice(0, KEPT);
    for (const message of messages) {
      choose(byId("source"), message.source ?? "", message.source);
      choose(byId("label"), message.label ?? "", labelName(message.label));
    }
    if (this.paused) {
      this.held += messages.length;
      this.drawPause();
    } else this.draw(messages.length);
  }

  pause(paused) {
    this.paused = paused;
    this.held = 0;
    this.drawPause();
    this.draw();
  }

  clear() {
    byId("source").value = byId("label").value = "";
    this.draw();
  }

  drawPause() {
    const button = byId("pause");
    button.setAttribute("aria-pressed", String(this.paused));
    const waiting = this.held ? ` · ${Math.min(this.held, KEPT)} new` : "";
    write(button.querySelector(".text"), this.paused ? `Resume${waiting}` : "Pause");
  }

  fits(message) {
    const [source, label] = [byId("source").value, byId("label").value];
    return (!source || message.source === source) && (!label || message.label === label);
  }

  /** Draws the messages that match; the first `fresh` kept ones are new. A paused list omits these. */
  draw(fresh = 0) {
    const list = byId("list");
    const from = this.paused ? this.kept.slice(this.held) : this.kept;
    const fitting = from.filter((message) => this.fits(message)).slice(0, SHOWN);
    const filtered = byId("source").value || byId("label").value;
    if (fresh && !filtered && list.childElementCount) {
      const rows = this.kept.slice(0, Math.min(fresh, SHOWN)).map((message) => this.row(message));
      for (const row of rows) row.classList.add("fresh");
      list.prepend(...rows);
      while (list.childElementCount > SHOWN) list.lastElementChild.remove();
    } else list.replaceChildren(...fitting.map((message) => this.row(message)));
    show(byId("empty"), !fitting.length);
    write(byId("empty"), this.kept.length
      ? `None of the last ${this.kept.length} messages matches the filters.`
      : "Waiting for the first message.");
    for (const button of list.querySelectorAll("button")) button.tabIndex = this.paused ? 0 : -1;
  }

  /** Shows which share of the stream the list holds; `shown` and `all` count recent messages. */
  sampled(shown, all) {
    const part = all > shown * 1.2 ? `1 of ${Math.round(all / Math.max(1, shown))} shown` : "";
    write(byId("sampled"), part);
  }

  row(message) {
    const { label, score, source, text } = message;
    const row = el("li", { "data-tone": tone(label), "data-label": label ?? "" });
    if (message.confident === false) row.classList.add("unsure");
    const chip = el("span", { className: "chip" },
      el("b", { textContent: score === null ? "–" : score.toFixed(2) }), ` ${labelName(label)}`);
    const body = text === null
      ? el("span", { className: "text place", textContent: place(message) })
      : el("bdi", { className: "text", dir: "auto", textContent: text });
    const meta = el("span", { className: "meta" });
    if (message.confident === false) {
      meta.append(el("span", { className: "mark-unsure", textContent: "unsure", title: "Under the model's threshold for this label" }));
    }
    // Scores of other languages are less reliable, so the language is shown.
    const { language } = message;
    if (language && language !== "en") meta.append(el("span", { className: "language", textContent: language }));
    if (source) meta.append(el("span", { className: "source", textContent: source }));
    meta.append(el("span", { className: "ms", textContent: `${Math.round(message.latency_ms)} ms` }));
    row.append(chip, body, meta);
    if (text !== null && this.explains) {
      const why = el("button", { type: "button", className: "why", textContent: "Why?", tabIndex: -1 });
      why.setAttribute("aria-label", `Why? ${text.slice(0, 60)}`);
      why.addEventListener("click", () => this.why(text));
      row.append(why);
    }
    return row;
  }
}

const key = (message) => `${message.topic} ${message.partition} ${message.offset} ${message.at}`;

export const place = ({ topic, partition, offset }) => `${topic} / ${partition} at ${offset}`;

/** Adds an option if it is new; bounded, since a producer may send any number of sources. */
function choose(select, value, text) {
  if (!value || select.options.length > SOURCES) return;
  if (![...select.options].some((option) => option.value === value)) {
    const options = [...select.options, el("option", { value, textContent: text })];
    const [all, ...rest] = options;
    const chosen = select.value;
    select.replaceChildren(all, ...rest.sort((a, b) => (a.textContent < b.textContent ? -1 : 1)));
    select.value = chosen;
  }
}
