// Makes the timeline's links move the player, and adds two buttons. Without it the links open the audio at that place.
"use strict";
(() => {
  const audio = document.querySelector("audio[data-player]");
  const news = document.querySelector("[data-news]");
  const controls = document.querySelector("[data-controls]");
  if (!audio) return;

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

  async function seek(seconds) {
    await ready();
    audio.currentTime = Math.min(Math.max(seconds, 0), audio.duration);
    news.textContent = `Playing from ${words(audio.currentTime)}`;
    try {
      await audio.play();
    } catch (error) {
      news.textContent = `The browser did not start to play (${error.name}); press play.`;
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-seek]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    seek(Number(link.dataset.seek));
  });

  for (const button of controls.querySelectorAll("button[data-skip]")) {
    button.addEventListener("click", () => seek(audio.currentTime + Number(button.dataset.skip)));
  }
  controls.hidden = false;

  audio.addEventListener("error", () => {
    news.textContent = "The audio could not be fetched. Load the page again; if that does not help, verify the recording.";
  });
})();
