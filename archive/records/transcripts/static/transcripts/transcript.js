// Finds words in the transcript without a new page, so that what plays goes on, and keeps what is being said in sight.
// Without it the form is sent and the archive finds.
"use strict";
(() => {
  const form = document.querySelector("form[data-find]");
  if (!form) return;
  const say = form.dataset;
  const field = form.querySelector("input[name=words]");
  const told = document.querySelector("[data-found]");
  const next = form.querySelector("[data-next]");
  const list = document.querySelector("ol.cues");
  const follow = form.querySelector("#follow");
  const texts = [...list.querySelectorAll("li > span")].map((span) => ({ span, text: span.textContent }));
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  let marked = [];
  let at = -1;

  // without case and accents, and the place of each letter in the text
  function fold(text) {
    let letters = "";
    const where = [];
    let place = 0;
    for (const one of text) {
      const folded = one.normalize("NFD").toLowerCase().replace(/\p{M}/gu, "");
      letters += folded;
      for (let unit = 0; unit < folded.length; unit += 1) where.push([place, place + one.length]);
      place += one.length;
    }
    return [letters, where];
  }

  function places(text, wanted) {
    const [inside, where] = fold(text);
    const found = [];
    for (let i = inside.indexOf(wanted); i >= 0; i = inside.indexOf(wanted, i + wanted.length)) {
      found.push([where[i][0], where[i + wanted.length - 1][1]]);
    }
    return found;
  }

  function mark({ span, text }, spans) {
    const parts = [];
    let done = 0;
    for (const [first, last] of spans) {
      const one = document.createElement("mark");
      one.textContent = text.slice(first, last);
      parts.push(text.slice(done, first), one);
      done = last;
    }
    span.replaceChildren(...parts, text.slice(done));
  }

  function find() {
    const [wanted] = fold(field.value.trim().replace(/\s+/g, " "));
    marked = [];
    at = -1;
    for (const one of texts) {
      const spans = wanted ? places(one.text, wanted) : [];
      if (spans.length || one.span.childElementCount) mark(one, spans);
      if (spans.length) marked.push(one.span.closest("li"));
    }
    next.hidden = marked.length < 2;
    if (!marked.length) told.textContent = wanted ? say.sayNone : "";
    else show();
  }

  // the focus goes to the time of the place, so that Enter plays it
  function show() {
    at = (at + 1) % marked.length;
    told.textContent = `${say.sayPlace} ${at + 1} ${say.sayOf} ${marked.length}`;
    marked[at].querySelector("a").focus();
  }

  form.addEventListener("submit", (event) => {
    // only the archive has all of a long transcript
    if (!("whole" in say)) return;
    event.preventDefault();
    find();
  });
  next.addEventListener("click", show);
  form.querySelector("[data-follow]").hidden = false;

  document.addEventListener("playing-row", (event) => {
    if (!follow.checked || !list.contains(event.target) || list.contains(document.activeElement)) return;
    event.target.scrollIntoView({ block: "center", behavior: calm.matches ? "auto" : "smooth" });
  });
})();
