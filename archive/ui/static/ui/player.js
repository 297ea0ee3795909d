// Makes the timeline's links move the player, and adds buttons, speed, keys and the time of day. Without it the links
// open the audio at that place, and the browser's own player plays.
"use strict";
(() => {
  const player = document.querySelector(".player");
  if (!player) return;
  const audio = player.querySelector("audio");
  const news = player.querySelector("[data-news]");
  const controls = player.querySelector("[data-controls]");
  const play = player.querySelector("[data-play]");
  const keys = player.querySelector("[data-keys]");
  const position = player.querySelector("[data-position]");
  const length = Number(player.dataset.length);
  const rows = [...document.querySelectorAll("tr[data-offset]")];
  const clock = new Intl.DateTimeFormat("en-US", {
    timeZone: player.dataset.zone, hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short",
  });

  function words(seconds) {
    const whole = Math.floor(seconds);
    const pad = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
  }

  function ready() {
    if (audio.readyState >= HTMLMediaElement.HAVE_METADATA) return Promise.resolve();
    return new Promise((done) => {
      audio.addEventListener("loadedmetadata", done, { once: true });
      audio.load();
      audio.preload = "auto";
    });
  }

  async function start() {
    try {
      await audio.play();
    } catch (error) {
      if (!audio.error) news.textContent = "The browser did not start to play; press play.";
    }
  }

  async function seek(seconds, from = "Playing from") {
    await ready();
    audio.currentTime = Math.min(Math.max(seconds, 0), audio.duration);
    news.textContent = `${from} ${words(audio.currentTime)}`;
    await start();
  }

  function toggle() {
    if (audio.paused) start();
    else audio.pause();
  }

  // the row that plays is the last one whose place was reached; the time of day is counted from it
  function show() {
    const at = audio.currentTime;
    const reached = rows.filter((row) => Number(row.dataset.offset) <= at + 0.001);
    const now = audio.paused && at === 0 ? undefined : reached[reached.length - 1];
    for (const row of rows) {
      row.classList.toggle("playing", row === now);
      if (row === now) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    const time = now && now.dataset.at ? new Date((Number(now.dataset.at) + at - Number(now.dataset.offset)) * 1000) : null;
    position.textContent = `${words(at)} of ${words(length)}${time ? `, ${clock.format(time).toLowerCase().replace(/[a-z]+$/, (zone) => zone.toUpperCase())}` : ""}`;
    play.textContent = audio.paused ? "Play" : "Pause";
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-seek]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    seek(Number(link.dataset.seek));
  });

  // single keys can be switched off (WCAG 2.1.4), and never take a key from what has the focus
  const deeds = { j: () => seek(audio.currentTime - 10), l: () => seek(audio.currentTime + 10), k: toggle, " ": toggle };
  document.addEventListener("keydown", (event) => {
    const deed = deeds[event.key.toLowerCase()];
    if (!deed || !keys.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("input, select, textarea, audio")) return;
    if (event.key === " " && event.target.closest("a, button, summary")) return;
    event.preventDefault();
    deed();
  });

  for (const button of controls.querySelectorAll("button[data-skip]")) {
    button.addEventListener("click", () => seek(audio.currentTime + Number(button.dataset.skip)));
  }
  play.addEventListener("click", toggle);
  player.querySelector("[data-speed]").addEventListener("change", (event) => { audio.playbackRate = Number(event.target.value); });
  for (const name of ["timeupdate", "seeked", "play", "pause", "ended"]) audio.addEventListener(name, show);
  controls.hidden = false;

  audio.addEventListener("error", async () => {
    let why = "The audio could not be loaded. Load the page again; if that does not help, verify the recording.";
    try {
      const answer = await fetch("/rooms.json", { headers: { Accept: "application/json" } });
      if (answer.redirected) why = "You were signed out. Load this page again and sign in.";
    } catch {
      why = "The archive does not answer. Load this page again later.";
    }
    news.textContent = why;
    news.classList.remove("hidden");
    news.classList.add("note");
  });
})();
