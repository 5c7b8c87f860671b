// Passkeys. A form with data-app-passkey="create" or "get" asks the browser what stands in data-app-ask, puts the answer into its hidden box
// and is sent. Without a script, or where a browser has no passkeys, the other ways of the page are used.
const FAILED = "The passkey did not work here. Try again, or use another way.";

function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (c) => c.codePointAt(0));
}

function text(buffer) {
  const plain = String.fromCodePoint(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function described(list) {
  return (list || []).map((one) => ({ ...one, id: bytes(one.id) }));
}

async function create(asked) {
  const options = {
    ...asked,
    challenge: bytes(asked.challenge),
    user: { ...asked.user, id: bytes(asked.user.id) },
    excludeCredentials: described(asked.excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey: options });
  return answer(made, {
    attestationObject: text(made.response.attestationObject),
    transports: made.response.getTransports?.() ?? [],
  });
}

async function get(asked) {
  const options = {
    ...asked,
    challenge: bytes(asked.challenge),
    allowCredentials: described(asked.allowCredentials),
  };
  const shown = await navigator.credentials.get({ publicKey: options });
  const handle = shown.response.userHandle;
  return answer(shown, {
    authenticatorData: text(shown.response.authenticatorData),
    signature: text(shown.response.signature),
    ...(handle ? { userHandle: text(handle) } : {}),
  });
}

function answer(credential, response) {
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { clientDataJSON: text(credential.response.clientDataJSON), ...response },
  };
}

function say(form, words) {
  const line = form.querySelector("[data-app-wrong]");
  line.textContent = words;
  line.hidden = !words;
  if (words) {
    line.setAttribute("role", "alert");
  }
}

for (const form of document.querySelectorAll("form[data-app-passkey]")) {
  form.hidden = !window.PublicKeyCredential;
  const box = form.querySelector("input[name=passkey]");
  form.addEventListener("submit", async (event) => {
    if (box.value) {
      return;
    }
    event.preventDefault();
    say(form, "");
    try {
      const ask = form.dataset.appPasskey === "create" ? create : get;
      box.value = JSON.stringify(await ask(JSON.parse(form.dataset.appAsk)));
    } catch {
      say(form, FAILED);
      return;
    }
    form.submit();
  });
}
