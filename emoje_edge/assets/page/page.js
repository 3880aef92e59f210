// The page: reads server-sent events with the token of its address, and shows one card a source.

import { MINUTES, MODALITIES, colourOf, drawBodies, drawTimeline } from "./drawing.js";

const token = location.hash.slice(1);
const link = document.getElementById("link");
const cards = new Map();
let last = 0;
window.marks = 0; // rows shown so far: what the tests count

class Card {
  constructor(name) {
    const part = document.getElementById("source").content.cloneNode(true);
    this.root = part.querySelector(".source");
    this.root.setAttribute("aria-label", name);
    this.root.querySelector("h2").textContent = name;
    this.rows = [];
    this.people = [];
    this.aspect = 4 / 3;
    this.now = 0;
    this.stale = true;
    document.getElementById("empty")?.remove();
    document.getElementById("sources").append(part);
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  row(row) {
    if (row.final !== false) {
      this.rows.push(row);
      while (this.rows.length && this.rows[0].end < row.end - MINUTES * 60) this.rows.shift();
      this.list(clock(row.start), row.emotion ?? row.reason ?? "no evidence", row.text, row.emotion, row.speaker);
      window.marks += 1;
    }
    this.now = Math.max(this.now, row.end);
    this.answer(row);
    this.stale = true;
  }

  answer(row) {
    const sure = row.confidence ?? row.probabilities?.[row.emotion];
    const emotion = this.find(".emotion");
    emotion.style.setProperty("--colour", row.emotion ? colourOf(row.emotion) : "");
    emotion.querySelector(".name").textContent = row.emotion ?? "no answer";
    emotion.querySelector(".sure").textContent = row.emotion ? `${Math.round(100 * sure)} %` : (row.reason ?? "");
    this.find(".words").textContent = row.text ? `“${row.text}”` : "";
    this.find(".rests").replaceChildren(...Object.entries(row.weights).flatMap(([name, share]) => weight(name, share)));
  }

  list(time, what, said, emotion, speaker) {
    const item = document.createElement("li");
    const parts = [["time", "", time], ["span", "what", what], ["span", "said", [speaker, said].filter(Boolean).join(": ")]];
    for (const [tag, name, text] of parts) {
      const part = document.createElement(tag);
      part.className = name;
      part.textContent = text;
      item.append(part);
    }
    if (emotion) item.style.setProperty("--colour", colourOf(emotion));
    else if (emotion === undefined) item.classList.add("gap");
    const rows = this.find(".rows");
    rows.prepend(item);
    while (rows.children.length > 60) rows.lastChild.remove();
  }

  gap(gap) {
    this.list(clock(gap.start), `lost ${(gap.end - gap.start).toFixed(1)} s`, gap.why, undefined);
  }

  pose(pose) {
    this.people = pose.people;
    this.aspect = pose.aspect;
    this.now = Math.max(this.now, pose.time);
    this.stale = true;
  }

  state(state) {
    const element = this.find(".state");
    element.dataset.state = state.state;
    const told = [state.state];
    if (state.lag_ms !== undefined) told.push(`${(state.lag_ms / 1000).toFixed(1)} s behind`);
    if (state.pose_fps) told.push(`${state.pose_fps} poses a second`);
    if (state.dropped_pictures) told.push(`${state.dropped_pictures} pictures dropped`);
    if (state.reconnects) told.push(`${state.reconnects} reconnects`);
    if (state.note) told.push(state.note);
    element.textContent = told.join(" · ");
  }

  draw() {
    if (!this.stale) return;
    this.stale = false;
    drawBodies(this.find(".body"), this.people, this.aspect);
    const rows = this.rows.map((row) => ({
      ...row, confidence: row.confidence ?? row.probabilities?.[row.emotion] ?? 0,
    }));
    drawTimeline(this.find(".timeline"), rows, this.now);
  }
}

function weight(name, share) {
  const [term, bar, value] = ["dt", "dd", "dd"].map((tag) => document.createElement(tag));
  const fill = document.createElement("span");
  fill.style.width = `${100 * share}%`;
  bar.className = "bar";
  bar.style.setProperty("--colour", MODALITIES[name]);
  bar.append(fill);
  term.textContent = { text: "words", audio: "voice", pose: "body" }[name] ?? name;
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
