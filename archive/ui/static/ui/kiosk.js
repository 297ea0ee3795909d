// On a shared screen: signs out whoever left. A touch, a key, and sound that plays say that somebody is there.
"use strict";
(() => {
  const notice = document.querySelector("[data-kiosk]");
  const leave = document.querySelector("form[data-sign-out]");
  const IDLE_MS = 120000;
  const WARN_MS = 90000;
  const TELL_MS = 60000; // how often the archive is told that somebody is there; by itself it waits for four minutes
  let last = Date.now();
  let told = Date.now();

  const here = () => {
    last = Date.now();
    notice.hidden = true;
  };
  for (const kind of ["pointerdown", "keydown", "scroll", "wheel"]) {
    window.addEventListener(kind, here, { passive: true, capture: true });
  }

  window.setInterval(() => {
    const audio = document.querySelector("audio");
    if (audio && !audio.paused) here();
    const away = Date.now() - last;
    if (away >= IDLE_MS) leave.submit();
    else if (away >= WARN_MS) notice.hidden = false;
    if (Date.now() - told >= TELL_MS && away < TELL_MS) {
      told = Date.now();
      fetch(notice.dataset.kiosk, { method: "HEAD" }).catch(() => {});
    }
  }, 1000);

  // a page that the browser kept is not shown to the next person
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
})();
