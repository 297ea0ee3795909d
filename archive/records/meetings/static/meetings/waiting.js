"use strict";
// Says on the first page whose notes of an opening wait in this browser, and how they are sent (opening.js). They are
// kept here alone until then, so that only this page can know. It sends nothing.
(() => {
  const section = document.getElementById("notes-here");
  const { account, opening, nobody } = section.dataset;
  const uuid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
  const lines = [];
  const line = (meeting, whose, count) => {
    const made = document.createElement("li");
    const mine = whose === account;
    const who = localStorage.getItem(`opening-name-${whose}`) || "somebody else";
    const title = document.createElement("p");
    title.className = "title";
    const notes = count === 1 ? "1 note" : `${count} notes`;
    title.textContent = mine ? `${notes} of yours, not sent yet` : `${notes} of ${who}, not sent yet`;
    const how = document.createElement("p");
    const link = document.createElement("a");
    link.href = opening.replace(nobody, meeting);
    link.textContent = "the opening of their meeting";
    const first = mine ? "Open " : "That person signs in on this tablet and opens ";
    how.append(first, link, mine ? ": that sends them." : ": that sends them. They are sent under no other name.");
    made.append(title, how);
    return made;
  };
  try {
    for (const key of Object.keys(localStorage)) {
      const found = new RegExp(`^opening-(${uuid})-(${uuid})$`).exec(key);
      const count = found ? JSON.parse(localStorage.getItem(key)).length : 0;
      if (count) lines.push(line(found[1], found[2], count));
    }
  } catch {
    return; // this browser keeps nothing, or nothing that this page knows
  }
  section.querySelector("ul").replaceChildren(...lines);
  section.hidden = lines.length === 0;
})();
