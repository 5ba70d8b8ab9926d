// The box in which one types a sentence and sees its score, the words that carried it, and what
// it would be with other countries in place. The service computes all of it, after the stream.

import { byId, el, labelName, percent, show, tone, write } from "./dom.js";

const SAMPLES = [
  "Not bad at all!",
  "Kenya was so kind to us.",
  "Two hours in line.",
  "Which platform?",
];
// A word whose absence changes the call by less than this, or than a part of what the heaviest does,
// carried nothing.
const WEIGHT_MIN = 0.02;
const WEIGHT_SHARE_MIN = 0.05;
// What one waits for an answer: eight tries, a second or so apart.
const TRIES_MAX = 8;
const WAIT_MAX_S = 3;
// Labels beside the likeliest whose probabilities are shown: one line.
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

  /** Whether the service has an answer for this box. */
  offer(offered) {
    show(byId("box"), offered);
  }

  /** Asks of a text, which is put into the box; only the answer to the last question is shown. */
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
        if (asked === this.asked) this.refuse("The stream goes first; the model is asked again …");
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
    const called = labelName(label);
    byId("verdict").replaceChildren(
      el("span", { className: "chip", "data-tone": tone(label) },
        el("b", { textContent: score.toFixed(2) }), ` ${called}`),
      el("span", { className: "mark-unsure", textContent: "unsure", hidden: confident }));
    const sorted = Object.entries(scores).sort((a, b) => b[1] - a[1]);
    const likeliest = sorted[0]?.[0] ?? label;
    // Of two labels, what speaks against the one speaks for the other; of more, nobody knows which.
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
    write(byId("carried"), strongest.length
      ? `${labelName(likeliest)} ${strongest.map((w) => `${signed(-w.weight)} without “${w.text}”`).join(", ")}`
      : "No single word carries this call.");
    this.showCountries(countries, likeliest);
    show(byId("answer"), true);
  }

  showCountries(countries, label) {
    show(byId("elsewhere"), countries.length > 0);
    if (!countries.length) return;
    const sorted = [...countries].sort((a, b) => b.score - a.score);
    const spread = sorted[0].score - sorted.at(-1).score;
    write(byId("spread"), `${labelName(label)} ${percent(sorted.at(-1).score)} to ${percent(sorted[0].score)}: ${spread < 0.005 ? "no difference to speak of" : `${(100 * spread).toFixed(1)} points apart`}.`);
    byId("countries").replaceChildren(...sorted.map(({ name, score }) => {
      const fill = el("i", { "data-tone": tone(label) });
      fill.style.width = `${100 * score}%`;
      return el("li", {}, el("span", { textContent: name, title: name }),
        el("span", { className: "track", "aria-hidden": "true" }, fill),
        el("b", { textContent: score.toFixed(2) }));
    }));
  }
}

/** The text cut at the words, each piece with its weight; what lies between has none. */
function pieces(text, words) {
  // Places are in characters of Unicode, of which a string here may have two units each.
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

/** Asks, and asks again for a while where the stream goes first, as long as `waiting` says so. */
async function explain(text, waiting) {
  for (let tries = 1; ; tries += 1) {
    const response = await post(text);
    if (response.ok) return response.json();
    const answer = await response.json().catch(() => ({}));
    if (response.status === 404) throw Object.assign(new Error("Not offered here."), { gone: true });
    if (response.status !== 503) {
      throw new Error(answer.error ?? answer.reason ?? `The service refused this text (${response.status}).`);
    }
    if (tries === TRIES_MAX || !waiting()) {
      throw new Error("The stream goes first, and the model was busy with it each time. Try again later.");
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
