// Passkeys: fills the hidden field of a form with the browser's answer, and sends it. Without passkeys the form stays hidden.
"use strict";

function say(form, words) {
  const news = form.querySelector("[data-passkey-news]");
  if (news) news.textContent = words;
}

async function ask(form) {
  let given = form.dataset.passkeyGiven;
  if (!given) {
    const answer = await fetch(form.dataset.passkeyOptions, { headers: { Accept: "application/json" } });
    given = JSON.stringify((await answer.json()).request_options);
  }
  const options = JSON.parse(given).publicKey;
  const credential = form.dataset.passkey === "create"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  return JSON.stringify(credential.toJSON());
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) {
    say(form, form.dataset.sayOld);
    continue;
  }
  form.hidden = false;
  say(form, "");
  form.addEventListener("submit", (event) => {
    const field = form.elements.credential;
    if (field.value) return;
    event.preventDefault();
    say(form, form.dataset.sayWait);
    ask(form).then((credential) => {
      field.value = credential;
      form.submit();
    }, () => say(form, form.dataset.sayNone));
  });
}
