// Shows how far a check is, and its result once it is done. Without scripts the link "Look again" does the same.
"use strict";

const bar = document.querySelector("[data-progress]");
const step = document.querySelector("[data-step]");
const EVERY_MS = 1000;

async function look() {
  try {
    const answer = await fetch(bar.dataset.progress, { headers: { Accept: "application/json" } });
    if (answer.redirected) {
      step.textContent = "You were signed out. Load this page again and sign in; the check goes on.";
      return;
    }
    const told = await answer.json();
    if (told.finished) {
      location.reload();
      return;
    }
    bar.max = told.of || 1;
    bar.value = told.done;
    // only a change is read out
    if (step.textContent !== told.step) step.textContent = told.step;
  } catch {
    // the server is away for a moment: look again
  }
  setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
