// The box for a sentence: its score, the weights of its words, and its scores with other countries.
// The service computes all of it, with lower priority than the stream.

import { byId, el, labelName, percent, show, tone, write } from "./dom.js";

const SAMPLES = [
  "Not bad at all!",
  "Kenya was so kind to us.",
  "Two hours in line.",
  "Which platform?",
];
// A word is marked if leaving it out changes the probability by at least this much, and by at least
// this share of the largest change.
const WEIGHT_MIN = 0.02;
const WEIGHT_SHARE_MIN = 0.05;
// Eight attempts, about a second apart.
const TRIES_MAX = 8;
const WAIT_MAX_S = 3;
// Further labels whose probabilities are shown: one line.
const OTHERS_MAX = 4;

const signed = (weight) => `${weight < 0 ? "−" : "+"}${Math.abs(weight).toFixed(2)}`;

export class Box {
  constructor() {
    this.asked = 0;
    byId("samples").append(...SAMPLES.map((text) => {
      const sample = el("button", { type: "button", className: "sample", textContent: text });
      sample.addEventListener("click", () => this.ask(text));
      return sample;
    }));
    byId("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask(byId("sentence").value);
    });
    byId("sentence").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.ask(byId("sentence").value);
      }
    });
  }

  /** Shows the box if the service serves POST /explain. */
  offer(offered) {
    show(byId("box"), offered);
  }

  /** Puts a text into the box and has it scored; only the answer to the last request is shown. */
  async ask(text) {
    byId("sentence").value = text;
    if (!text.trim()) {
      byId("sentence").focus();
      return;
    }
    const asked = (this.asked += 1);
    byId("ask").disabled = true;
    try {
      const answer = await explain(text, () => {
        if (asked === this.asked) this.refuse("The model is busy with the stream; trying again …");
        return asked === this.asked;
      });
      if (asked !== this.asked) return;
      show(byId("refused"), false);
      this.show(text, answer);
    } catch (refusal) {
      if (asked !== this.asked) return;
      if (refusal.gone) this.offer(false);
      this.refuse(refusal.message);
      show(byId("answer"), false);
    } finally {
      if (asked === this.asked) byId("ask").disabled = false;
    }
  }

  refuse(reason) {
    write(byId("refused"), reason);
    show(byId("refused"), true);
  }

  show(text, { label, score, confident, scores, words, countries }) {
    byId("verdict").replaceChildren(
      el("span", { className: "chip", "data-tone": tone(label) },
        el("b", { textContent: score.toFixed(2) }), ` ${labelName(label)}`),
      el("span", { className: "mark-unsure", textContent: "unsure", hidden: confident }));
    const sorted = Object.entries(scores).sort((a, b) => b[1] - a[1]);
    const likeliest = sorted[0]?.[0] ?? label;
    // With two labels, a word against one is a word for the other; with more it is not known which.
    const other = sorted.length === 2 ? sorted[1][0] : null;
    write(byId("others"), sorted.length === 2 ? "" : sorted.slice(1, OTHERS_MAX + 1)
      .map(([name, share]) => `${labelName(name)} ${share.toFixed(2)}`).join(" · "));
    const most = Math.max(...words.map(({ weight }) => Math.abs(weight)), WEIGHT_MIN);
    const counts = (weight) => Math.abs(weight) >= Math.max(WEIGHT_MIN, WEIGHT_SHARE_MIN * most);
    byId("words").replaceChildren(...pieces(text, words).map(({ text: part, weight }) => {
      if (!counts(weight)) return part;
      const mark = el("mark", { textContent: part, title: signed(weight) });
      mark.dataset.tone = tone(weight > 0 ? likeliest : other);
      mark.style.setProperty("--weight", String(Math.round((60 * Math.abs(weight)) / most) + 12));
      return mark;
    }));
    const strongest = words.filter(({ weight }) => counts(weight))
      .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, 3);
    write(byId("strongest"), strongest.length
      ? `${labelName(likeliest)} ${strongest.map((w) => `${signed(-w.weight)} without “${w.text}”`).join(", ")}`
      : "No single word decides this label.");
    this.showCountries(countries, likeliest);
    show(byId("answer"), true);
  }

  showCountries(countries, label) {
    show(byId("elsewhere"), countries.length > 0);
    if (!countries.length) return;
    const sorted = [...countries].sort((a, b) => b.score - a.score);
    const spread = sorted[0].score - sorted.at(-1).score;
    write(byId("spread"), `${labelName(label)} ${percent(sorted.at(-1).score)} to ${percent(sorted[0].score)}: ${spread < 0.005 ? "no difference" : `${(100 * spread).toFixed(1)} points apart`}.`);
    byId("countries").replaceChildren(...sorted.map(({ name, score }) => {
      const fill = el("i", { "data-tone": tone(label) });
      fill.style.width = `${100 * score}%`;
      return el("li", {}, el("span", { textContent: name, title: name }),
        el("span", { className: "track", "aria-hidden": "true" }, fill),
        el("b", { textContent: score.toFixed(2) }));
    }));
  }
}

/** The text split at the words, each piece with its weight; 0 between the words. */
function pieces(text, words) {
  // Positions are in Unicode code points; in a string, one may take two UTF-16 units.
  const characters = Array.from(text);
  const part = (from, to) => characters.slice(from, to).join("");
  const found = [];
  let end = 0;
  for (const { start, end: stop, weight } of [...words].sort((a, b) => a.start - b.start)) {
    if (start < end) continue;
    found.push({ text: part(end, start), weight: 0 }, { text: part(start, stop), weight });
    end = stop;
  }
  return [...found, { text: part(end), weight: 0 }].filter((piece) => piece.text);
}

/** Requests an explanation; tries again while the model is busy and `waiting()` is true. */
async function explain(text, waiting) {
  for (let tries = 1; ; tries += 1) {
    const response = await post(text);
    if (response.ok) return response.json();
    const answer = await response.json().catch(() => ({}));
    if (response.status === 404) throw Object.assign(new Error("This service does not explain scores."), { gone: true });
    if (response.status !== 503) {
      throw new Error(answer.error ?? answer.reason ?? `The service refused this text (${response.status}).`);
    }
    if (tries === TRIES_MAX || !waiting()) {
      throw new Error("The model is busy with the stream. Try again later.");
    }
    const later = Number(response.headers.get("Retry-After")) || 1;
    await new Promise((done) => { setTimeout(done, Math.min(later, WAIT_MAX_S) * 1000); });
  }
}

async function post(text) {
  try {
    return await fetch("explain", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text }),
    });
  } catch {
    throw new Error("The service does not answer. Try again when the page is live.");
  }
}
