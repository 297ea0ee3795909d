"use strict";
// Keeps what is noted in this browser until the archive says that it has it. A note has an identifier of its own, so
// that one which is sent twice is entered once. Nothing here talks to a box.
(() => {
  const status = document.getElementById("sending");
  const list = document.getElementById("noted");
  const key = status.dataset.store;
  const token = document.querySelector("input[name=csrfmiddlewaretoken]").value;
  const PAUSE_MS = 3000;
  const MOST = 100; // notes in one request; the archive takes 500 and 256 KiB
  let sending = false;

  const waiting = () => {
    try {
      return JSON.parse(localStorage.getItem(key)) || [];
    } catch {
      return [];
    }
  };
  const keep = (events) => localStorage.setItem(key, JSON.stringify(events));

  // crypto.randomUUID is missing where the page comes without TLS (the demo)
  const newId = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };

  const say = (text) => {
    if (status.textContent !== text) status.textContent = text;
  };

  const show = (event) => {
    if (list.querySelector(`[data-id="${CSS.escape(event.id)}"]`)) return;
    const line = document.createElement("li");
    line.dataset.id = event.id;
    const time = document.createElement("strong");
    time.textContent = new Date(event.at).toLocaleTimeString("en-US");
    const parts = [event.who, event.interpreter, event.answer, event.text].filter(Boolean);
    line.append(time, ` ${event.label}${parts.length ? ": " : ""}${parts.join(", ")}`);
    list.append(line);
  };

  const counted = (count) => (count === 1 ? "1 note is" : `${count} notes are`);
  const body = (events) =>
    JSON.stringify({ sent_at: new Date().toISOString(), events: events.map(({ label, ...event }) => event) });

  // Returns the identifiers that the archive has now, or throws what to tell the person.
  const post = async (events) => {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    let answer;
    try {
      answer = await fetch(status.dataset.address, { method: "POST", headers, body: body(events) });
    } catch {
      throw `No network. ${counted(waiting().length)} kept here and will be sent.`;
    }
    const isJson = (answer.headers.get("Content-Type") || "").startsWith("application/json");
    if (answer.ok && isJson) return (await answer.json()).taken;
    if (isJson && answer.status >= 400 && answer.status < 500 && ![401, 403].includes(answer.status)) {
      // one that makes no sense must not hold up the others
      if (events.length > 1) return (await Promise.all(events.map((event) => post([event]).catch(() => [])))).flat();
      throw `The archive does not take a note: ${(await answer.json()).error.message} It is kept on this tablet.`;
    }
    throw `${counted(waiting().length)} kept here. Sign in again in another tab, and this page will send them.`;
  };

  const send = async () => {
    const events = waiting().slice(0, MOST);
    if (sending || !events.length) return;
    sending = true;
    try {
      const taken = new Set(await post(events));
      keep(waiting().filter((event) => !taken.has(event.id)));
      say(waiting().length ? `${counted(waiting().length)} waiting to be sent.` : "Everything noted is in the archive.");
    } catch (told) {
      say(String(told));
    } finally {
      sending = false;
    }
  };

  for (const form of document.querySelectorAll("form[data-event]")) {
    form.addEventListener("submit", (submit) => {
      if (!form.reportValidity()) return;
      submit.preventDefault();
      const data = new FormData(form);
      const event = {
        id: newId(),
        kind: form.dataset.event,
        at: new Date().toISOString(),
        label: form.querySelector("button[type=submit]").textContent.trim(),
      };
      for (const name of ["who", "interpreter", "answer", "text"]) {
        if (data.get(name)) event[name] = data.get(name);
      }
      if (data.get("mode")) event.mode = data.get("mode");
      try {
        keep([...waiting(), event]);
      } catch {
        form.submit(); // this browser keeps nothing: the archive takes it without this script
        return;
      }
      show(event);
      if (form.dataset.event === "told" || form.dataset.event === "note") {
        form.reset();
        form.querySelector("input:not([type=hidden]), textarea").focus();
      }
      say("Noted.");
      send();
    });
  }
  window.addEventListener("online", send);
  window.setInterval(send, PAUSE_MS);
  waiting().forEach(show);
  send();
})();
