"use strict";
// Keeps what is noted in this browser until the archive says that it has it. A note has an identifier of its own, so
// that one which is sent twice is entered once. It is kept under the account that noted it, and entered as nobody
// else's, also where several people share a tablet. Nothing here talks to a box.
(() => {
  const status = document.getElementById("sending");
  const list = document.getElementById("noted");
  const refused = document.getElementById("refused");
  const account = status.dataset.account;
  const key = status.dataset.store;
  let token = document.querySelector("input[name=csrfmiddlewaretoken]").value;
  const PAUSE_MS = 3000;
  const RENEW_MS = 15000;
  const MOST = 100; // notes in one request; the archive takes 500 and 256 KiB
  let sending = false;
  let renewAt = 0;
  let over = false; // refused for good: each further refusal would be an entry of the custody log

  const waiting = () => {
    try {
      return JSON.parse(localStorage.getItem(key)) || [];
    } catch {
      return [];
    }
  };
  const keep = (events) => {
    localStorage.setItem(key, JSON.stringify(events));
    // whoever comes next is told whose notes wait
    const name = `opening-name-${account}`;
    const mine = (other) => other.startsWith("opening-") && other.endsWith(account) && other !== name;
    if (events.length) localStorage.setItem(name, status.dataset.name);
    else if (!Object.keys(localStorage).some((one) => mine(one) && localStorage.getItem(one) !== "[]"))
      localStorage.removeItem(name);
  };

  // What somebody else noted on this tablet stays theirs: the page says whose it is and how it is sent, and sends it
  // under no other name. Where that account has ended, it is handed in with both names.
  const tellOfOthers = () => {
    const meeting = key.slice(0, -account.length);
    let found;
    try {
      const names = Object.keys(localStorage).filter((name) => name.startsWith(meeting) && name !== key);
      found = names.map((name) => [name, JSON.parse(localStorage.getItem(name)) || []]).filter(([, notes]) => notes.length);
    } catch {
      return; // this browser keeps nothing
    }
    const others = document.getElementById("others");
    others.querySelector("ul").replaceChildren(...found.map(([name, notes]) => othersLine(name, notes)));
    others.hidden = found.length === 0;
  };

  const element = (tag, text, name) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (name) made.className = name;
    return made;
  };

  const othersLine = (store, notes) => {
    const whose = store.slice(-account.length);
    const called = localStorage.getItem(`opening-name-${whose}`);
    const who = called || "somebody else";
    const line = document.createElement("li");
    const waits = notes.length === 1 ? `1 note that ${who} made waits` : `${notes.length} notes that ${who} made wait`;
    const how = `${called || "Whoever made them"} signs in and opens this page: that sends them.`;
    const shown = document.createElement("details");
    const noted = document.createElement("ul");
    for (const event of notes) {
      const parts = [event.who, event.interpreter, event.answer, event.text].filter(Boolean);
      noted.append(element("li", `${time(event)} ${event.label}${parts.length ? ": " : ""}${parts.join(", ")}`));
    }
    shown.append(element("summary", "Show them"), noted);
    const help = `Only where that account has ended. They are entered as noted by ${who}, and handed in by you.`;
    const button = element("button", "Hand them in", "quiet");
    const told = element("p", "");
    told.setAttribute("role", "alert");
    button.addEventListener("click", () => handIn(store, whose, told, button));
    line.append(element("p", `${waits} on this tablet.`, "title"), element("p", how), shown, element("p", help), button, told);
    return line;
  };

  const handIn = async (store, whose, told, button) => {
    button.disabled = true;
    try {
      const notes = JSON.parse(localStorage.getItem(store)).slice(0, MOST);
      const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
      const sent = { account: whose, handed_in: true, sent_at: new Date().toISOString(), events: bare(notes) };
      const answer = await fetch(status.dataset.address, { method: "POST", headers, body: JSON.stringify(sent) });
      const isJson = (answer.headers.get("Content-Type") || "").startsWith("application/json");
      if (!answer.ok || !isJson) {
        told.textContent = isJson ? (await answer.json()).error.message : "The archive did not take them. They stay here.";
        return;
      }
      const { taken } = await answer.json();
      const left = JSON.parse(localStorage.getItem(store)).filter((event) => !taken.includes(event.id));
      localStorage.setItem(store, JSON.stringify(left));
      notes.filter((event) => taken.includes(event.id)).forEach(show);
      tellOfOthers();
      say("They were handed in.");
      status.focus();
    } catch {
      told.textContent = "No network. They stay here.";
    } finally {
      button.disabled = false;
    }
  };

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
    const at = document.createElement("strong");
    at.textContent = time(event);
    const parts = [event.who, event.interpreter, event.answer, event.text].filter(Boolean);
    line.append(at, ` ${event.label}${parts.length ? ": " : ""}${parts.join(", ")}`);
    list.append(line);
  };

  const counted = (count) => (count === 1 ? "1 note is" : `${count} notes are`);
  const bare = (events) => events.map(({ label, refused, ...event }) => event);
  const body = (events) =>
    JSON.stringify({ account, sent_at: new Date().toISOString(), events: bare(events) });
  const time = (event) => new Date(event.at).toLocaleTimeString("en-US");

  // A note that the archive does not take stays until a person changed it or discarded it, with a second press.
  const refusedLine = (event) => {
    const line = document.createElement("li");
    const title = document.createElement("p");
    title.className = "title";
    title.textContent = `${time(event)} ${event.label}`;
    const why = document.createElement("p");
    why.id = `why-${event.id}`;
    why.textContent = `Why: ${event.refused.message}`;
    line.append(title, why);
    const fields = ["who", "interpreter", "text"].filter((name) => event[name]).map((name) => {
      const field = document.createElement(name === "text" ? "textarea" : "input");
      const label = document.createElement("label");
      field.id = `${name}-${event.id}`;
      field.value = event[name];
      field.setAttribute("aria-describedby", why.id);
      label.htmlFor = field.id;
      label.textContent = { who: "Name and role", interpreter: "Interpreter", text: "Text" }[name];
      line.append(label, field);
      return [name, field];
    });
    const buttons = document.createElement("p");
    buttons.className = "buttons";
    const again = document.createElement("button");
    again.textContent = "Send it again";
    again.addEventListener("click", () => {
      const { refused: reason, ...changed } = event;
      const more = [];
      for (const [name, field] of fields) changed[name] = field.value;
      // where the time is what was refused, the present one stands for it, and the note tells what the tablet said
      if (reason.field === "at") {
        const clock = `(by the tablet's clock ${event.at})`;
        changed.at = new Date().toISOString();
        // what the parent records with is printed in a letter: what the clock said is a note of its own
        if (event.kind === "parent-records")
          more.push({ id: newId(), kind: "note", label: "Note", at: changed.at, text: `${event.label} ${clock}` });
        else changed.text = `${changed.text || ""} ${clock}`.trim();
      }
      changed.id = newId();
      keep(waiting().flatMap((one) => (one.id === event.id ? [changed, ...more] : [one])));
      leave("Sending it again.");
    });
    const drop = document.createElement("button");
    drop.className = "quiet";
    drop.textContent = "Discard it";
    drop.addEventListener("click", () => {
      if (drop.textContent === "Discard it") {
        drop.textContent = "Discard it for good";
        say("Press again, and this note is gone from this tablet. The archive does not have it.");
        return;
      }
      keep(waiting().filter((one) => one.id !== event.id));
      leave("It was discarded.");
    });
    buttons.append(again, drop);
    line.append(buttons);
    return line;
  };

  const leave = (words) => {
    showAll();
    say(words);
    status.focus();
    send();
  };

  const showAll = () => {
    const held = waiting().filter((event) => event.refused);
    for (const event of held) list.querySelector(`[data-id="${CSS.escape(event.id)}"]`)?.remove();
    const shown = held.map((event) => event.id).join(" ");
    if (refused.dataset.shown !== shown) refused.querySelector("ul").replaceChildren(...held.map(refusedLine));
    refused.dataset.shown = shown;
    refused.hidden = held.length === 0;
    waiting().filter((event) => !event.refused).forEach(show);
  };

  // A new sign-in comes with a new token. The page as it is now has it, and tells whether the same person is signed in.
  const renew = async () => {
    let page;
    try {
      const answer = await fetch(location.href);
      over = answer.status === 403;
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      return false;
    }
    if (page.getElementById("sending")?.dataset.store !== key) return false;
    token = page.querySelector("input[name=csrfmiddlewaretoken]").value;
    for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token;
    return true;
  };

  // Returns which notes the archive has now, and which it does not take and why, or throws what to tell the person.
  const post = async (events, renewed = false) => {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    let answer;
    try {
      answer = await fetch(status.dataset.address, { method: "POST", headers, body: body(events) });
    } catch {
      throw `No network. ${counted(waiting().length)} kept here and will be sent.`;
    }
    const isJson = (answer.headers.get("Content-Type") || "").startsWith("application/json");
    if (answer.ok && isJson) {
      over = false;
      return { taken: (await answer.json()).taken, held: [] };
    }
    if (isJson && answer.status >= 400 && answer.status < 500 && ![401, 403].includes(answer.status)) {
      // one that makes no sense must not hold up the others
      if (events.length > 1) {
        const answers = await Promise.all(events.map((event) => post([event])));
        return { taken: answers.flatMap((one) => one.taken), held: answers.flatMap((one) => one.held) };
      }
      const { message, field } = (await answer.json()).error;
      return { taken: [], held: [[events[0].id, { message, field }]] };
    }
    const kept = `${counted(waiting().length)} kept here`;
    if (answer.status >= 500) throw `The archive cannot take notes now. ${kept} and will be sent.`;
    if (renewed) over = answer.status === 403;
    if (!renewed && Date.now() >= renewAt) {
      renewAt = Date.now() + RENEW_MS;
      if (await renew()) return post(events, true);
    }
    if (renewed || over) throw `${kept}. The archive does not take them from you: ask your administrator, and load this page again.`;
    throw `${kept}. Sign in again in another tab, as the same person, and this page will send them.`;
  };

  const send = async () => {
    const events = waiting().filter((event) => !event.refused).slice(0, MOST);
    if (sending || !events.length) return;
    sending = true;
    try {
      const { taken, held } = await post(events);
      const why = new Map(held);
      const left = waiting().filter((event) => !taken.includes(event.id));
      keep(left.map((event) => (why.has(event.id) ? { ...event, refused: why.get(event.id) } : event)));
      showAll();
      tell();
    } catch (told) {
      say(String(told));
    } finally {
      sending = false;
    }
  };

  const tell = () => {
    const held = waiting().filter((event) => event.refused).length;
    const rest = waiting().length - held;
    if (held) say(`The archive does not take ${held === 1 ? "a note" : `${held} notes`}: look above the script.`);
    else say(rest ? `${counted(rest)} waiting to be sent.` : "Everything noted is in the archive.");
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
  window.setInterval(() => {
    if (!over) send();
  }, PAUSE_MS);
  tellOfOthers();
  showAll();
  if (waiting().some((event) => event.refused)) tell();
  send();
})();
