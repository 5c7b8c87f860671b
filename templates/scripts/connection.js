// Without a connection a strip says so, and goes when there is one again. Nothing about a client is kept on the computer itself.
const AGAIN = 5000;
const GONE = 10_000;
const strip = document.querySelector("[data-app-connection]");

function clock() {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/London" }).format(new Date());
}

if (strip) {
  let since = "";
  let timer = 0;
  const say = (strong, words) => {
    const first = document.createElement("strong");
    first.textContent = strong;
    const line = document.createElement("p");
    line.className = "app-width";
    line.append(first, ` ${words}`);
    strip.replaceChildren(...(strong ? [line] : []));
  };

  async function look() {
    try {
      const answer = await fetch("/livez", { cache: "no-store" });
      if (answer.ok) return connected();
    } catch {
      // still none
    }
    timer = window.setTimeout(look, AGAIN);
  }

  function connected() {
    if (!since) return;
    since = "";
    window.clearTimeout(timer);
    say(`Connected again at ${clock()}.`, "You can go on.");
    timer = window.setTimeout(() => since || say("", ""), GONE);
  }

  function disconnected() {
    if (since) return;
    since = clock();
    say(
      `No connection since ${since}.`,
      "You can go on typing here. We try again every few seconds; keep this page open, and send nothing until it is back.",
    );
    window.clearTimeout(timer);
    timer = window.setTimeout(look, AGAIN);
  }

  window.addEventListener("offline", disconnected);
  window.addEventListener("online", look);
  document.addEventListener("edatrs:disconnected", disconnected);
  document.addEventListener("edatrs:connected", connected);
  document.body.addEventListener("htmx:sendError", disconnected);
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) connected();
  });
  // A form sent now would be lost with the page: it stays, with what was typed.
  document.addEventListener(
    "submit",
    (event) => {
      if (!since || event.target.method === "dialog") return;
      event.preventDefault();
      event.stopImmediatePropagation();
      say("Not sent: there is no connection.", "What you typed is still here. Send it once this line says that you are connected again.");
      strip.scrollIntoView();
    },
    true,
  );
  if (!navigator.onLine) disconnected();
}
