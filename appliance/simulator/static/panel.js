"use strict";

const token = document.querySelector('meta[name="panel-token"]').content;
const element = (id) => document.getElementById(id);

async function post(what) {
  const answer = await fetch("/do", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Panel-Token": token },
    body: JSON.stringify(what),
  });
  const said = await answer.json();
  element("said").textContent = said.error ? (said.error.message || String(said.error)) : "";
}

// edges go out one after the other, so that no release can overtake its press
let queue = Promise.resolve();
let down = false;
let held = 0;
function edge(pressed) {
  if (pressed === down) return;
  down = pressed;
  held = pressed && latest && latest.figures.holdable ? performance.now() : 0;
  button.classList.toggle("down", pressed);
  queue = queue.then(() => post({ button: pressed ? "down" : "up" })).catch(() => lost());
}

const button = element("button");
button.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  button.setPointerCapture(event.pointerId);
  edge(true);
});
for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) button.addEventListener(name, () => edge(false));
button.addEventListener("contextmenu", (event) => event.preventDefault());
button.addEventListener("keydown", (event) => {
  if (event.key !== " " && event.key !== "Enter") return;
  event.preventDefault();
  if (!event.repeat) edge(true);
});
button.addEventListener("keyup", (event) => {
  if (event.key === " " || event.key === "Enter") { event.preventDefault(); edge(false); }
});
window.addEventListener("blur", () => edge(false));

let latest = null;
for (const control of document.querySelectorAll("[data-fault]")) {
  control.addEventListener("click", () => post(JSON.parse(broken(control) ? control.dataset.off : control.dataset.on)));
}
for (const control of document.querySelectorAll("[data-part]")) {
  control.addEventListener("click", () =>
    post({ process_manager: { do: broken(control) ? "start" : "stop", what: control.dataset.part } }));
}
element("kill").addEventListener("click", () => post({ process_manager: { do: "kill", what: "recorder" } }));

function broken(control) {
  if (!latest) return false;
  if (control.dataset.part) return Boolean(latest.parts) && !latest.parts[control.dataset.part];
  const name = control.dataset.fault;
  return Boolean(name === "lamp_broken" ? latest.panel.lamp_broken : latest.panel.faults[name]);
}

// slow: one second on, one second off, never faster than 1 Hz; a code is so many blinks and a pause
function shines(mode, blinks, seconds) {
  if (mode !== "slow") return mode === "on";
  const beat = Math.floor(seconds);
  if (!blinks) return beat % 2 === 0;
  const place = beat % (2 * blinks + 3);
  return place < 2 * blinks && place % 2 === 0;
}

const words = { off: "off", on: "steady", slow: "slow" };
const HOLD_S = 1.5;
function draw() {
  const seconds_held = held ? (performance.now() - held) / 1000 : 0;
  element("hold").classList.toggle("holding", held > 0);
  element("hold").value = Math.min(seconds_held, HOLD_S);
  if (!latest) return;
  const seconds = performance.now() / 1000;
  const panel = latest.panel;
  const lights = [
    ["red", panel.red ? "on" : "off", 0],
    ["green", panel.green, 0],
    ["amber", panel.amber, panel.blinks],
  ];
  for (const [name, mode, blinks] of lights) {
    element(name).classList.toggle("on", shines(mode, blinks, seconds));
    const word = words[mode] + (blinks && mode === "slow" ? `, code ${blinks}` : "");
    if (element(`${name}-word`).textContent !== word) element(`${name}-word`).textContent = word;
  }
}

function put(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

// one entry a code: what is wrong, what to do, and how the light tells it
function list(codes) {
  const text = JSON.stringify(codes);
  if (element("codes").dataset.shown === text) return;
  element("codes").dataset.shown = text;
  element("codes").replaceChildren(...codes.map((one) => {
    const item = document.createElement("li");
    const small = document.createElement("span");
    small.textContent = `CHECK blinks ${one.blinks}: ${one.code}`;
    item.append(`${one.cause} ${one.remedy} `, small);
    return item;
  }));
}

function show(state) {
  latest = state;
  draw();
  const figures = state.figures;
  for (const [id, member] of [["recorded", "recorded_s"], ["acknowledged", "acknowledged_s"], ["archived", "archived_s"]]) {
    element(id).textContent = figures.word ? `${figures[member].toFixed(1)} s` : "unknown";
  }
  put("state", figures.word ? `${figures.state}.` : "no word from the recorder");
  put("uploads", figures.uploads || "");
  put("meaning", state.panel.meaning);
  list(figures.codes || []);
  for (const control of document.querySelectorAll("[data-fault], [data-part]")) {
    const is = broken(control);
    control.classList.toggle("broken", is);
    control.textContent = is ? control.dataset.offText : control.dataset.onText;
    if (control.dataset.part) control.disabled = !state.parts;
  }
  element("kill").disabled = !state.parts;
}

function lost() {
  latest = null;
  put("state", "the simulator does not answer");
  put("meaning", "What the lights show is not known.");
  put("uploads", "");
  list([]);
  for (const name of ["red", "green", "amber"]) {
    element(name).classList.remove("on");
    element(`${name}-word`).textContent = "unknown";
  }
}

const events = new EventSource("/events");
events.onmessage = (event) => show(JSON.parse(event.data));
events.onerror = lost;
setInterval(draw, 100);
