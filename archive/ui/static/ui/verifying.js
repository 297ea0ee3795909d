// Shows how far a check is, and its result once it is done. Without scripts the link "Look again" does the same.
"use strict";

const bar = document.querySelector("[data-progress]");
const step = document.querySelector("[data-step]");
const EVERY_MS = 1000;
const OVER = [401, 403, 404, 410];

// only a change is read out
function tell(text) {
  if (step.textContent !== text) step.textContent = text;
}

// returns whether to look again
async function look() {
  const answer = await fetch(bar.dataset.progress, { headers: { Accept: "application/json" } });
  if (answer.redirected) {
    tell("You were signed out. Load this page again and sign in; the check goes on.");
    return false;
  }
  if (OVER.includes(answer.status)) {
    // each further refusal would be an entry of the custody log
    tell("You can no longer see this check. Load this page again.");
    return false;
  }
  if (!answer.ok) throw new Error(`code ${answer.status}`);
  const told = await answer.json();
  if (told.finished) {
    location.reload();
    return false;
  }
  bar.max = told.of || 1;
  bar.value = told.done;
  tell(told.step);
  return true;
}

async function again() {
  let goOn = true;
  try {
    goOn = await look();
  } catch {
    tell("The archive does not answer now. This page asks again; the check goes on.");
  }
  if (goOn) setTimeout(again, EVERY_MS);
}

setTimeout(again, EVERY_MS);
