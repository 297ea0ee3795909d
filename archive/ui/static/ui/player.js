// Makes the links of timeline and transcript move the player, and adds buttons, speed, keys and the time of day. Without it the links
// open the audio at that place, and the browser's own player plays. Its words stand in the page, in the page's language.
"use strict";
(() => {
  const player = document.querySelector(".player");
  if (!player) return;
  const say = player.dataset;
  const audio = document.querySelector("audio[data-player]");
  const news = player.querySelector("[data-news]");
  const controls = player.querySelector("[data-controls]");
  const bar = player.querySelector("[data-seek-bar]");
  const play = player.querySelector("[data-play]");
  const keys = player.querySelector("[data-keys]");
  const position = player.querySelector("[data-position]");
  const length = Number(say.length);
  const rows = [...document.querySelectorAll("[data-offset]")];
  const offsets = rows.map((row) => Number(row.dataset.offset));
  const notes = rows.filter((row) => row.classList.contains("noted")).map((row) => Number(row.dataset.offset));
  const clock = new Intl.DateTimeFormat(`${document.documentElement.lang}-US`, {
    timeZone: say.zone, hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short", hour12: true,
  });

  function words(seconds) {
    const whole = Math.floor(seconds);
    const pad = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
  }

  // 1:05:07 pm CST, as the table writes it
  function time(moment) {
    const parts = clock.formatToParts(moment);
    return parts.map((part) => part.type === "dayPeriod" ? part.value.toLowerCase() : part.value).join("");
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
      if (!audio.error) news.textContent = say.sayPress;
    }
  }

  async function seek(seconds) {
    await ready();
    audio.currentTime = Math.min(Math.max(seconds, 0), audio.duration);
    news.textContent = `${say.sayFrom} ${words(audio.currentTime)}`;
    await start();
  }

  function toggle() {
    if (audio.paused) start();
    else audio.pause();
  }

  function louder(step) {
    audio.volume = Math.min(Math.max(audio.volume + step, 0), 1);
  }

  // the next note after this place, or the one before it; what plays for less than a second counts as before
  function note(way) {
    const at = audio.currentTime;
    const found = way > 0 ? notes.find((one) => one > at + 0.1) : notes.findLast((one) => one < at - 1);
    if (found !== undefined) seek(found);
  }

  let playing;

  // what plays is the last row whose place was reached and that is not over; the time of day is counted from it
  function show() {
    const at = audio.currentTime;
    const last = rows[offsets.findLastIndex((offset) => offset <= at + 0.001)];
    const now = (audio.paused && at === 0) || (last && Number(last.dataset.until) <= at) ? undefined : last;
    if (now !== playing) {
      playing?.classList.remove("playing");
      playing?.removeAttribute("aria-current");
      now?.classList.add("playing");
      now?.setAttribute("aria-current", "true");
      now?.dispatchEvent(new Event("playing-row", { bubbles: true }));
      playing = now;
    }
    const since = now && now.dataset.at ? at - Number(now.dataset.offset) : 0;
    const day = now && now.dataset.at ? `, ${time(new Date((Number(now.dataset.at) + since) * 1000))}` : "";
    position.textContent = `${words(at)} ${say.sayOf} ${words(length)}${day}`;
    play.textContent = audio.paused ? say.sayPlay : say.sayPause;
    if (document.activeElement !== bar || !bar.matches(":active")) bar.value = at;
    bar.setAttribute("aria-valuetext", `${words(at)} ${say.sayOf} ${words(length)}`);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-seek]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    seek(Number(link.dataset.seek || link.closest("[data-offset]").dataset.offset));
  });

  // single keys can be switched off (WCAG 2.1.4), and never take a key from what has the focus
  const deeds = {
    j: () => seek(audio.currentTime - 10),
    l: () => seek(audio.currentTime + 10),
    k: toggle,
    " ": toggle,
    arrowleft: () => seek(audio.currentTime - 5),
    arrowright: () => seek(audio.currentTime + 5),
    arrowup: () => louder(0.1),
    arrowdown: () => louder(-0.1),
  };
  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    const deed = deeds[key];
    if (!deed || !keys.checked || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.repeat && !key.startsWith("arrow")) return;
    if (event.target.closest("input, select, textarea, audio")) return;
    if (event.key === " " && event.target.closest("a, button, summary")) return;
    // up and down scroll the page, but not from inside the player
    if ((key === "arrowup" || key === "arrowdown") && !event.target.closest(".player")) return;
    event.preventDefault();
    deed();
  });

  for (const button of controls.querySelectorAll("button[data-skip]")) {
    button.addEventListener("click", () => seek(audio.currentTime + Number(button.dataset.skip)));
  }
  for (const button of controls.querySelectorAll("button[data-note]")) {
    button.addEventListener("click", () => note(Number(button.dataset.note)));
  }
  play.addEventListener("click", toggle);
  bar.addEventListener("change", () => seek(Number(bar.value)));
  player.querySelector("[data-speed]").addEventListener("change", (event) => { audio.playbackRate = Number(event.target.value); });
  for (const name of ["timeupdate", "seeked", "play", "pause", "ended"]) audio.addEventListener(name, show);
  controls.hidden = false;
  bar.hidden = false;

  audio.addEventListener("error", async () => {
    let why = say.sayBroken;
    try {
      const answer = await fetch("/", { headers: { Accept: "application/json" } });
      if (answer.redirected && new URL(answer.url).pathname.startsWith("/sign-in/")) why = say.saySignedOut;
    } catch {
      why = say.sayAway;
    }
    news.textContent = why;
    news.classList.remove("hidden");
    news.classList.add("note");
  });
})();
