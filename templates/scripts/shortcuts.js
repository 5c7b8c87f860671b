// Single keys lead to what is on the page: whatever carries data-app-shortcut. Nobody who switched them off has any; none works while typing,
// with a modifier key, or while a dialog is open.
const WAIT = 1500;
const TYPING = "input, textarea, select, [contenteditable]";
let first = "";
let timer = 0;

function find(keys) {
  return [...document.querySelectorAll("[data-app-shortcut]")].find((thing) => thing.dataset.appShortcut === keys);
}

function starts(key) {
  return [...document.querySelectorAll("[data-app-shortcut]")].some((thing) => thing.dataset.appShortcut.startsWith(`${key} `));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return;
  if (event.target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
  if (event.key === "Shift") return;
  const keys = first ? `${first} ${event.key}` : event.key;
  window.clearTimeout(timer);
  const thing = find(keys);
  first = "";
  if (thing) {
    event.preventDefault();
    if (thing.matches(TYPING)) {
      thing.focus();
      thing.select?.();
    } else thing.click();
  } else if (keys === event.key && starts(event.key)) {
    first = event.key;
    timer = window.setTimeout(() => {
      first = "";
    }, WAIT);
  }
});
