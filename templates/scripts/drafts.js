// A form that keeps a draft: what is typed is sent a second after typing stops. The answer says when it was kept, and what the rules say.
const PAUSE = 1000;
const AGAIN = 5000;

function fields(form) {
  const data = new FormData(form);
  for (const [name, value] of [...data.entries()]) {
    if (value instanceof File) data.delete(name);
  }
  data.set("_draft", "keep");
  return data;
}

function group(form, name) {
  const box = form.querySelector(`[name="${CSS.escape(name)}"], [name="${CSS.escape(name)}_day"]`);
  return box ? box.closest("fieldset") ?? box.closest(".govuk-form-group") : null;
}

// The words of the rules stand under their field, and go when they no longer hold. They are not announced at every key: the line of the draft is.
function speak(form, said) {
  const wanted = new Map();
  for (const [name, words] of Object.entries(said)) {
    const at = group(form, name) ?? form.querySelector("[data-app-says]");
    if (!at) continue;
    const before = wanted.get(at) ?? [];
    wanted.set(at, [...before, ...words]);
  }
  for (const old of form.querySelectorAll(".app-says")) {
    if (!wanted.has(old.parentElement)) old.remove();
  }
  for (const [at, words] of wanted) {
    const text = words.join(" · ");
    let line = at.querySelector(":scope > .app-says");
    if (!line) {
      line = document.createElement("p");
      line.className = "app-says";
      at.append(line);
    }
    if (line.textContent !== text) line.textContent = text;
  }
}

for (const form of document.querySelectorAll("form[data-app-draft]")) {
  const line = form.querySelector("[data-app-draft-line]");
  let timer = 0;
  let asking = null;
  let over = false;
  const say = (words) => {
    if (line && line.textContent !== words) line.textContent = words;
  };

  async function keep() {
    if (over) return;
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(form.dataset.appDraft, {
        method: "POST",
        body: fields(form),
        headers: { "X-Autosave": "1" },
        signal: asking.signal,
      });
      document.dispatchEvent(new CustomEvent("edatrs:connected"));
      if (answer.status === 401) {
        say("You are signed out. Nothing typed since the last time is kept. Sign in in another tab, then go on here.");
        return;
      }
      const said = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
      if (said.problem) say(said.problem);
      else if (said.saved) say("");
      else if (said.kept) {
        say(`Draft kept ${said.kept}`);
        speak(form, said.speaks ?? {});
      } else say("The draft could not be kept. Save, or copy your text.");
    } catch (problem) {
      if (problem.name === "AbortError") return;
      document.dispatchEvent(new CustomEvent("edatrs:disconnected"));
      say("No connection. Your text is only on this screen; it is kept again when the connection is back.");
      timer = window.setTimeout(keep, AGAIN);
    }
  }

  function soon() {
    window.clearTimeout(timer);
    timer = window.setTimeout(keep, PAUSE);
  }
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("submit", () => {
    over = true;
    window.clearTimeout(timer);
    asking?.abort();
  });
  if (form.dataset.appSpeaks !== undefined) keep();
}

// A page that the browser brings back as it was holds an old form: it is asked for again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("form[data-app-draft]")) window.location.reload();
});
