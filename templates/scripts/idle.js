// A sign-in that nobody uses ends. Two minutes before, a dialog asks; when it is over, nothing of the page stays on the screen.
// The server decides: before anything is said it is asked how long is left, because another tab may have been used. Asking is no use.
const MINUTE = 60_000;
const dialog = document.querySelector("dialog[data-app-idle]");

function words(seconds) {
  if (seconds > 90) return `${Math.round(seconds / 60)} minutes`;
  if (seconds > 45) return "1 minute";
  if (seconds > 20) return "half a minute";
  return "a few seconds";
}

function cover(why, reached) {
  const here = window.location.pathname + window.location.search;
  const link = document.createElement("a");
  link.className = "govuk-button";
  link.href = `${dialog.dataset.signIn}?${new URLSearchParams({ next: here, ended: why })}`;
  link.textContent = "Sign in again";
  const heading = document.createElement("h1");
  heading.className = "govuk-heading-l";
  heading.tabIndex = -1;
  heading.textContent = "You are signed out";
  const said = document.createElement("p");
  said.className = "govuk-body";
  said.textContent = reached
    ? "This page is covered so that nobody reads it from your screen. Sign in and you come back to it, with what was kept as a draft."
    : "There is no connection, and your time without use is over. This page is covered so that nobody reads it from your screen.";
  const main = document.createElement("main");
  main.className = "app-main app-width app-cover";
  main.id = "main";
  main.append(heading, said, link);
  const header = document.createElement("header");
  header.className = "app-header";
  const name = document.createElement("p");
  name.className = "app-width app-header__in app-header__name";
  name.textContent = "EDATRS caseload";
  header.append(name);
  document.title = "Signed out – EDATRS caseload";
  document.body.replaceChildren(header, main);
  heading.focus();
}

function watch() {
  const warning = Number(dialog.dataset.warning) * 1000;
  const token = () => dialog.querySelector("[name=csrfmiddlewaretoken]").value;
  let unusedAt = 0;
  let longAt = 0;
  let lastUse = Date.now();
  let asking = false;
  let over = false;
  let knowsEnd = false;
  let said = "";

  const left = ({ unused, long }) => {
    unusedAt = Date.now() + unused * 1000;
    longAt = Date.now() + long * 1000;
  };
  left({ unused: Number(dialog.dataset.unused), long: Number(dialog.dataset.long) });
  const endsAt = () => Math.min(unusedAt, longAt);
  const final = () => longAt <= unusedAt;

  // What the server says: how long, that it is over, or nothing. Only a POST is use.
  async function ask(method) {
    try {
      const answer = await fetch(dialog.dataset.stay, {
        method,
        headers: method === "POST" ? { "X-CSRFToken": token() } : { "X-Autosave": "1" },
        redirect: "manual",
        cache: "no-store",
      });
      if (answer.ok) {
        left(await answer.json());
        return "left";
      }
      return answer.status >= 500 ? "nothing" : "over";
    } catch {
      return "nothing";
    }
  }

  function end(reached) {
    over = true;
    window.clearInterval(timer);
    cover(final() ? "long" : "idle", reached);
  }

  function say() {
    const text = words(Math.max(0, (endsAt() - Date.now()) / 1000));
    if (text === said) return;
    said = text;
    dialog.querySelector("[data-app-idle-left]").textContent = text;
    dialog.querySelector("[data-app-idle-say]").textContent = `You will be signed out in ${text}.`;
  }

  function open() {
    const long = final();
    dialog.querySelector("[data-app-idle-unused]").hidden = long;
    dialog.querySelector("[data-app-idle-long]").hidden = !long;
    dialog.querySelector("[data-app-idle-stay]").hidden = long;
    const close = dialog.querySelector("[data-app-idle-close]");
    close.hidden = !long;
    said = "";
    say();
    dialog.showModal();
    if (long) close.focus();
  }

  function closeIfOff() {
    if (dialog.open && endsAt() - Date.now() > warning) dialog.close();
  }

  async function stay() {
    lastUse = Date.now();
    const answer = await ask("POST");
    if (answer === "over") end(true);
    else if (answer === "left") {
      if (!final() || endsAt() - Date.now() > warning) dialog.close();
      else open();
    }
  }

  async function look() {
    if (over || asking) return;
    const rest = endsAt() - Date.now();
    if (dialog.open) say();
    if (rest > warning || (rest > 0 && (dialog.open || (final() && knowsEnd)))) return;
    asking = true;
    const answer = await ask("GET");
    asking = false;
    if (over) return;
    if (answer === "over") end(true);
    else if (answer === "nothing" && endsAt() <= Date.now()) end(false);
    else if (endsAt() - Date.now() > warning) closeIfOff();
    else if (!dialog.open && !(final() && knowsEnd)) open();
  }

  const timer = window.setInterval(look, 1000);
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pageshow", async (event) => {
    if (event.persisted && (await ask("GET")) === "over") end(true);
  });
  // Typing is use: told to the server at most once a minute.
  document.addEventListener("input", () => {
    if (over || Date.now() - lastUse < MINUTE) return;
    lastUse = Date.now();
    ask("POST");
  });
  dialog.querySelector("[data-app-idle-stay]").addEventListener("click", stay);
  dialog.querySelector("[data-app-idle-close]").addEventListener("click", () => {
    knowsEnd = true;
    dialog.close();
  });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    if (final()) {
      knowsEnd = true;
      dialog.close();
    } else stay();
  });
}

if (dialog) watch();
