// What needs a script, on pages that all work without one.
import { initAll } from "./govuk-frontend.min.js";
import "./drafts.js";
import "./top.js";
import "./reveal.js";
import "./idle.js";
import "./connection.js";
import "./shortcuts.js";
import "./signature.js";
import "./passkeys.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();

// A part that is fetched again every few seconds would be read aloud every time. It carries coarse words in data-app-say; they are put into the
// status line, which stays where it is, only when they have changed.
function say(root) {
  const line = document.querySelector("[data-app-status]");
  const found = root.querySelector("[data-app-say]");
  if (line && found && line.textContent !== found.dataset.appSay) {
    line.textContent = found.dataset.appSay;
  }
}
document.body.addEventListener("htmx:afterSettle", () => say(document));

// A part that answers from another address (the sign-in page, after a time-out) is not put into this page: the whole page is loaded instead.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const asked = new URL(event.detail.pathInfo.finalRequestPath, window.location.href);
  const answered = event.detail.xhr.responseURL;
  if (answered && new URL(answered).pathname !== asked.pathname) {
    event.detail.shouldSwap = false;
    window.location.reload();
  }
});
