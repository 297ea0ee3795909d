// Keeps the rooms page true: asks every two seconds, changes only the words that changed, and says aloud only new states.
"use strict";
(() => {
  const list = document.querySelector("[data-rooms-url]");
  const freshness = document.querySelector("[data-freshness]");
  const news = document.querySelector("[data-news]");
  const every = 2000;

  function put(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  function show(card, room) {
    for (const [name, text] of Object.entries(room.words)) {
      const field = card.querySelector(`[data-field="${name}"]`);
      put(field, text);
      if (field) field.hidden = text === "";
    }
    if (card.dataset.sign !== room.sign) {
      card.querySelector(".sign").className = `sign sign-${room.sign}`;
      card.dataset.sign = room.sign;
      put(news, `${room.name}: ${room.words.state}`);
    }
  }

  function stale(why) {
    put(freshness, `Not up to date: ${why}. What stands here may be wrong.`);
    freshness.classList.add("problem");
  }

  async function ask() {
    const stop = AbortSignal.timeout(5000);
    const answer = await fetch(list.dataset.roomsUrl, { headers: { Accept: "application/json" }, signal: stop });
    if (answer.redirected) return stale("you are signed out; load this page again and sign in");
    if (!answer.ok) return stale(`the archive answered ${answer.status}`);
    const { rooms, at_words: at, warning } = await answer.json();
    const cards = new Map([...list.children].map((card) => [card.dataset.box, card]));
    if (rooms.length !== cards.size || rooms.some((room) => !cards.has(room.box))) return location.reload();
    for (const room of rooms) show(cards.get(room.box), room);
    put(freshness, warning || `Live. Last looked at ${at}.`);
    freshness.classList.toggle("problem", Boolean(warning));
  }

  async function again() {
    try {
      await ask();
    } catch (error) {
      stale(`the archive does not answer (${error.name})`);
    }
    setTimeout(again, every);
  }

  if (list) setTimeout(again, every);
})();
