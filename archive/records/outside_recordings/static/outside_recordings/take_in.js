// Sends a file piece by piece, each where the archive says that it is; what is there already is compared, and not kept twice.
"use strict";

const form = document.querySelector("[data-pieces]");
const news = form.querySelector("[data-news]");
const bar = form.querySelector("progress");
const button = form.querySelector("button");
const PIECE = Number(form.dataset.piece);
const TRIES = 4;
const PAUSE_MS = 2000;

function tell(text) {
  news.textContent = text;
}

async function send(file, at) {
  const piece = file.slice(at, Math.min(at + PIECE, file.size));
  for (let attempt = 1; ; attempt += 1) {
    let answer;
    try {
      answer = await fetch(`${form.dataset.pieces}?at=${at}&size=${file.size}`, {
        method: "POST",
        body: piece,
        headers: {
          "Content-Type": "application/octet-stream",
          "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value,
        },
      });
    } catch {
      answer = null;
    }
    if (answer?.redirected) throw new Error("You were signed out. Load this page again and sign in; what is here is kept.");
    if (answer?.ok) return (await answer.json()).received;
    if (answer && answer.status < 500) {
      const told = await answer.json().catch(() => null);
      throw new Error(told?.error?.message ?? "The archive did not take it. Load this page again.");
    }
    if (attempt === TRIES) throw new Error("The archive does not answer. What is here is kept: send the file again later.");
    await new Promise((done) => setTimeout(done, PAUSE_MS * attempt));
  }
}

async function sendAll(file) {
  let received = Number(form.dataset.received);
  if (received > 0) {
    // first and last piece that are there tell whether it is the same file
    await send(file, 0);
    received = await send(file, Math.floor((received - 1) / PIECE) * PIECE);
  }
  bar.max = file.size;
  while (received < file.size) {
    received = await send(file, received);
    bar.value = received;
    form.dataset.received = String(received);
    tell(`${Math.floor((received * 100) / file.size)} percent sent`);
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const file = form.querySelector("input[type=file]").files[0];
  const size = Number(form.dataset.size);
  const complete = size > 0 && Number(form.dataset.received) === size;
  if (!file && !complete) return tell("Choose a file first.");
  if (file && (file.size === 0 || file.size > Number(form.dataset.longest))) return tell("This file is empty, or too large.");
  button.disabled = true;
  try {
    if (file) await sendAll(file);
    form.submit();
  } catch (error) {
    tell(error.message);
    button.disabled = false;
  }
});
