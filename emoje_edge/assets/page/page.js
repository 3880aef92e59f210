// The page: reads server-sent events with the token of its address, and shows one card a source.

import { EMOTIONS, MINUTES, MODALITIES, colourOf, drawBodies, drawTimeline } from "./drawing.js";

const token = location.hash.slice(1);
const link = document.getElementById("link");
const cards = new Map();
const NAMES = { text: "words", audio: "voice", pose: "body" };
const REASONS = {
  unknown_words: "words that it does not know", no_speech: "nobody speaks", silence: "silence",
  nobody_seen: "nobody in view", no_words: "no words", nothing: "nothing to go by", not_sure: "not sure enough",
};
let last = 0;
window.marks = window.poses = 0; // rows and skeletons shown so far: what tests count

class Card {
  constructor(name) {
    const part = document.getElementById("source").content.cloneNode(true);
    this.root = part.querySelector(".source");
    this.root.setAttribute("aria-label", name);
    this.root.querySelector("h2").textContent = name;
    this.rows = [];
    this.gaps = [];
    this.told = {};
    this.people = [];
    this.aspect = 4 / 3;
    this.now = 0;
    this.stale = true;
    legend(part.querySelector(".legend"));
    document.getElementById("empty")?.remove();
    document.getElementById("sources").append(part);
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  // a source that began anew, after a restart, has a new time line
  at(time) {
    if (time < this.now - 30) {
      this.rows = [];
      this.gaps = [];
      this.now = time;
    }
    this.now = Math.max(this.now, time);
  }

  row(row) {
    this.at(row.end);
    this.rows.push(row);
    while (this.rows.length && this.rows[0].end < row.end - MINUTES * 60) this.rows.shift();
    this.list(row);
    window.marks += 1;
    this.answer(row);
    this.stale = true;
  }

  // an utterance that is not over: the answer so far, and no mark
  open(row) {
    this.at(row.end);
    this.answer(row);
  }

  answer(row) {
    const sure = sureOf(row);
    const answer = this.find(".answer");
    answer.dataset.open = row.final === false;
    answer.dataset.known = Boolean(row.emotion);
    answer.style.setProperty("--colour", row.emotion ? colourOf(row.emotion) : "");
    answer.style.setProperty("--sure", row.emotion ? sure : 0);
    this.find(".name").textContent = row.emotion ?? "no answer";
    this.find(".sure").textContent = row.emotion ? `${Math.round(100 * sure)} %` : (REASONS[row.reason] ?? "");
    this.find(".words").textContent = row.text ? `“${row.text}”` : "";
    this.find(".rests").replaceChildren(...Object.entries(row.weights).flatMap(([name, share]) => weight(name, share)));
  }

  list(row) {
    const said = row.text ? [row.speaker, row.text].filter(Boolean).join(": ") : (row.speaker ?? "");
    const item = line(clock(row.start), row.emotion ?? REASONS[row.reason] ?? "no answer", said);
    if (row.emotion) item.style.setProperty("--colour", colourOf(row.emotion));
    else item.classList.add("none");
    item.append(shares(row.weights));
    this.prepend(item);
  }

  gap(gap) {
    this.gaps.push(gap);
    const item = line(clock(gap.start), `lost ${(gap.end - gap.start).toFixed(1)} s`, gap.why);
    item.classList.add("gap");
    this.prepend(item);
    this.stale = true;
  }

  prepend(item) {
    const rows = this.find(".rows");
    rows.prepend(item);
    while (rows.children.length > 60) rows.lastChild.remove();
  }

  pose(pose) {
    if (pose.people.length !== this.people.length) this.state({ people: pose.people.length });
    this.people = pose.people;
    this.fresh = true;
    this.aspect = pose.aspect;
    this.at(pose.time);
    this.stale = true;
  }

  state(state) {
    const told = Object.assign(this.told, state);
    const element = this.find(".state");
    element.dataset.state = told.state;
    const parts = [told.note ? `${told.state}: ${told.note}` : told.state];
    if (told.state === "live") {
      if (told.people !== undefined) parts.push(told.people ? many(told.people, "person", "people") : "nobody in view");
      if (told.lag_ms !== undefined) parts.push(`${(told.lag_ms / 1000).toFixed(1)} s behind`);
      if (told.pose_fps) parts.push(`${told.pose_fps} poses a second`);
      if (told.dropped_pictures) parts.push(`${many(told.dropped_pictures, "picture", "pictures")} dropped`);
      if (told.reconnects) parts.push(many(told.reconnects, "reconnect", "reconnects"));
    }
    element.textContent = parts.filter(Boolean).join(" · ");
  }

  draw() {
    if (!this.stale) return;
    this.stale = false;
    if (this.fresh) window.poses += 1;
    this.fresh = false;
    drawBodies(this.find(".body"), this.people, this.aspect);
    drawTimeline(this.find(".timeline"), this.rows.map((row) => ({ ...row, confidence: sureOf(row) })), this.gaps, this.now);
  }
}

function sureOf(row) {
  return row.confidence ?? row.probabilities?.[row.emotion] ?? 0;
}

function many(number, one, more) {
  return `${number} ${number === 1 ? one : more}`;
}

function line(time, what, said) {
  const item = document.createElement("li");
  for (const [tag, name, text] of [["time", "", time], ["span", "what", what], ["span", "said", said]]) {
    const part = document.createElement(tag);
    part.className = name;
    part.textContent = text;
    item.append(part);
  }
  return item;
}

// what a row rests on: one small bar, in the colours of the words, the voice and the body
function shares(weights) {
  const bar = document.createElement("span");
  const told = Object.entries(weights).map(([name, share]) => `${NAMES[name]} ${Math.round(100 * share)} %`).join(", ");
  bar.className = "shares";
  if (!told) return bar;
  bar.title = told;
  bar.setAttribute("role", "img");
  bar.setAttribute("aria-label", `rests on ${told}`);
  for (const [name, share] of Object.entries(weights)) {
    const part = document.createElement("span");
    part.style.width = `${100 * share}%`;
    part.style.setProperty("--colour", MODALITIES[name]);
    bar.append(part);
  }
  return bar;
}

function legend(list) {
  list.replaceChildren(...Object.entries(EMOTIONS).map(([name, colour]) => {
    const item = document.createElement("li");
    item.textContent = name;
    item.style.setProperty("--colour", colour);
    return item;
  }));
}

function weight(name, share) {
  const [term, bar, value] = ["dt", "dd", "dd"].map((tag) => document.createElement(tag));
  const fill = document.createElement("span");
  fill.style.width = `${100 * share}%`;
  bar.className = "bar";
  bar.style.setProperty("--colour", MODALITIES[name]);
  bar.append(fill);
  term.textContent = NAMES[name] ?? name;
  value.textContent = `${Math.round(100 * share)} %`;
  return [term, bar, value];
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function card(name) {
  if (!cards.has(name)) cards.set(name, new Card(name));
  return cards.get(name);
}

function take(kind, data, id) {
  const value = JSON.parse(data);
  card(value.source)[kind](value);
  if (id) last = Number(id);
}

// one message after the other out of the stream's bytes
async function read(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => {
        const colon = line.indexOf(": ");
        return [line.slice(0, colon), line.slice(colon + 2)];
      }));
      if (fields.event) take(fields.event, fields.data, fields.id);
    }
  }
}

function tell(state, text) {
  link.dataset.state = state;
  link.textContent = text;
}

async function listen() {
  for (let wait = 500; ; wait = Math.min(2 * wait, 8000)) {
    try {
      const answer = await fetch("events", {
        headers: { Authorization: `Bearer ${token}`, ...(last ? { "Last-Event-ID": String(last) } : {}) },
        cache: "no-store",
      });
      if (answer.status === 403) return tell("lost", "The address lacks its token: open the one that was printed.");
      if (answer.status === 503) tell("lost", "Too many pages are open; trying again.");
      if (answer.ok) {
        tell("live", "Connected");
        wait = 250;
        await read(answer.body);
      }
    } catch {
      // the server is gone: told below
    }
    if (link.dataset.state === "live") tell("lost", "The connection is lost; trying again.");
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

function draw() {
  for (const one of cards.values()) one.draw();
  requestAnimationFrame(draw);
}

addEventListener("resize", () => cards.forEach((one) => { one.stale = true; }));
requestAnimationFrame(draw);
listen();
