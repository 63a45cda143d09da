"use strict";
// Asks the browser for a passkey, puts what it answers into the form, and sends that. The server tells what to ask
// for (data-options: WebAuthn's JSON) and what to say (data-cancelled and the like).
(() => {
  const toBytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const toText = (buffer) =>
    btoa(Array.from(new Uint8Array(buffer), (one) => String.fromCharCode(one)).join(""))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => list.map((one) => ({ ...one, id: toBytes(one.id) }));

  const readOptions = (form) => {
    const options = JSON.parse(form.dataset.options);
    options.challenge = toBytes(options.challenge);
    if (options.user) options.user.id = toBytes(options.user.id);
    if (options.excludeCredentials) options.excludeCredentials = named(options.excludeCredentials);
    if (options.allowCredentials) options.allowCredentials = named(options.allowCredentials);
    return options;
  };

  const writeAnswer = (credential) => {
    const { response } = credential;
    const told = { clientDataJSON: toText(response.clientDataJSON) };
    if (response.attestationObject) {
      told.attestationObject = toText(response.attestationObject);
      told.transports = response.getTransports ? response.getTransports() : [];
    } else {
      told.authenticatorData = toText(response.authenticatorData);
      told.signature = toText(response.signature);
      if (response.userHandle) told.userHandle = toText(response.userHandle);
    }
    return JSON.stringify({ id: credential.id, rawId: toText(credential.rawId), type: credential.type, response: told });
  };

  let pending = null;
  const ask = async (form, byItself) => {
    const said = form.querySelector("[role=alert]");
    if (pending) pending.abort();
    const mine = (pending = new AbortController());
    said.hidden = true;
    try {
      const asked = { publicKey: readOptions(form), signal: mine.signal };
      const answered = await navigator.credentials[form.dataset.passkey](asked);
      form.elements.credential.value = writeAnswer(answered);
      form.submit();
    } catch (problem) {
      // Another try has begun; or nobody pressed anything, and the button is there to be pressed.
      if (mine.signal.aborted || (byItself && problem.name === "NotAllowedError")) return;
      const which = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "known" };
      said.textContent = form.dataset[which[problem.name] || "failed"];
      said.hidden = false;
    }
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.querySelector(".notice").hidden = true;
    if (!window.PublicKeyCredential || !navigator.credentials) {
      const said = form.querySelector("[role=alert]");
      said.textContent = form.dataset.unsupported;
      said.hidden = false;
      continue;
    }
    form.querySelector("button[type=submit]").hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask(form, false);
    });
    if ("auto" in form.dataset) ask(form, true);
  }
})();
