// Keeps the rooms page true: asks every two seconds, changes only the words that changed, and says aloud every new state.
"use strict";
(() => {
  const list = document.querySelector("[data-rooms-url]");
  const freshness = document.querySelector("[data-freshness]");
  const news = document.querySelector("[data-news]");
  const summary = document.querySelector("[data-summary]");
  const every = 2000;
  const over = [401, 403, 404, 410];
  let lost = "";

  function put(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  function sign(card, code, words) {
    const element = card.querySelector(".sign");
    element.className = `sign sign-${code}`;
    element.querySelector("use").setAttribute("href", `#shape-${code}`);
    put(element.querySelector("span"), words);
  }

  function troubles(card, found) {
    const place = card.querySelector("[data-troubles]");
    const text = JSON.stringify(found);
    if (place.dataset.shown === text) return;
    place.dataset.shown = text;
    place.hidden = found.length === 0;
    place.replaceChildren(...found.map((one) => {
      const item = document.createElement("li");
      const cause = document.createElement("strong");
      const code = document.createElement("span");
      cause.textContent = one.cause;
      code.className = "code";
      code.textContent = one.code;
      item.append(cause, ` ${one.remedy} `, code);
      return item;
    }));
  }

  // returns what to say of a card, or nothing where its state is the one that was said last
  function show(card, room) {
    for (const [name, text] of Object.entries(room.words)) {
      const field = card.querySelector(`[data-field="${name}"]`);
      put(field, text);
      if (field) field.hidden = text === "";
    }
    troubles(card, room.troubles);
    const running = card.querySelector("[data-running] a");
    if (running) {
      running.hidden = !room.address;
      if (room.address) running.href = room.address;
    }
    sign(card, room.sign, room.words.state);
    const said = card.dataset.sign;
    card.dataset.sign = room.sign;
    return said === room.sign ? [] : [`${room.name}: ${room.words.state}`];
  }

  // cards stand in the answer's order; while somebody is among them with the keyboard, none is moved away
  function order(rooms, cards) {
    if (list.contains(document.activeElement)) return;
    if (rooms.every((room, place) => list.children[place] === cards.get(room.box))) return;
    list.append(...rooms.map((room) => cards.get(room.box)));
  }

  function stale(why) {
    const text = `Not up to date: ${why}. What each room does now is not known.`;
    put(freshness, text);
    freshness.classList.add("note");
    document.title = "Not up to date - Rooms · Plain Sight";
    put(summary, "");
    if (list) list.classList.add("stale");
    for (const card of document.querySelectorAll("[data-box]")) sign(card, "unknown", "Not known: this page is not up to date");
    if (lost !== why) put(news, text);
    lost = why;
  }

  // returns whether to ask again: each further refusal would be an entry of the custody log
  async function ask() {
    const stop = AbortSignal.timeout(5000);
    const answer = await fetch(list.dataset.roomsUrl, { headers: { Accept: "application/json" }, signal: stop });
    if (answer.redirected) {
      stale("you were signed out; load this page again and sign in");
      return true;
    }
    if (over.includes(answer.status)) {
      stale("you can no longer see this; load this page again");
      return false;
    }
    if (!answer.ok) {
      stale(`the archive cannot answer now (code ${answer.status})`);
      return true;
    }
    const { rooms, title, summary: counts, at_words: at, warning } = await answer.json();
    const cards = new Map([...list.children].map((card) => [card.dataset.box, card]));
    if (rooms.length !== cards.size || rooms.some((room) => !cards.has(room.box))) {
      location.reload();
      return false;
    }
    list.classList.remove("stale");
    const said = lost ? ["Up to date again"] : [];
    lost = "";
    for (const room of rooms) said.push(...show(cards.get(room.box), room));
    order(rooms, cards);
    if (said.length) put(news, `${said.join(". ")}.`);
    put(summary, counts.charAt(0).toUpperCase() + counts.slice(1));
    put(freshness, warning || `Live, as of ${at}.`);
    freshness.classList.toggle("note", Boolean(warning));
    document.title = `${title} · Plain Sight`;
    return true;
  }

  async function again() {
    let goOn = true;
    try {
      goOn = await ask();
    } catch {
      stale("the archive does not answer");
    }
    if (goOn) setTimeout(again, every);
  }

  if (list) setTimeout(again, every);
})();
