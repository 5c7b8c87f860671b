// The outcome form: totals add up while one types, weeks follow the date, arrows move between questions. The server adds up again.
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY = 24 * 60 * 60 * 1000;

function text(box) {
  return box ? box.value.trim() : "";
}

function total(question) {
  const weeks = [...question.querySelectorAll("[data-app-days]")].map(text);
  const whole = text(question.querySelector("[data-app-whole]"));
  const some = weeks.some((week) => week !== "");
  if (question.querySelector("[data-app-na]")?.checked) return whole === "" && !some ? "NA" : "–";
  if (!some) return whole === "" ? "–" : whole;
  return weeks.every((week) => /^[0-7]$/.test(week)) ? String(weeks.reduce((sum, week) => sum + Number(week), 0)) : "–";
}

function answered(question) {
  if (question.dataset.appQ === "yes_no") return question.querySelector("input:checked") !== null;
  return total(question) !== "–";
}

function short(date, withYear) {
  const words = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  return withYear ? `${words} ${date.getUTCFullYear()}` : words;
}

function follow(form) {
  const [day, month, year] = ["day", "month", "year"].map((box) => text(form.querySelector(`[name="TOPDATE_${box}"]`)));
  const named = MONTHS.findIndex((name) => month.length > 2 && month.toLowerCase().startsWith(name.toLowerCase())) + 1;
  const number = named || Number(month);
  const date = new Date(Date.UTC(Number(year), number - 1, Number(day)));
  if (!/^\d{4}$/.test(year) || date.getUTCDate() !== Number(day) || date.getUTCMonth() !== number - 1) return;
  const before = (days) => new Date(date.getTime() - days * DAY);
  for (const at of form.querySelectorAll("[data-app-week]")) {
    const week = Number(at.dataset.appWeek);
    at.textContent = `${short(before(7 * week))}–${short(before(7 * week - 6))}`;
  }
  const period = form.querySelector("[data-app-period]");
  if (period) period.textContent = `${short(before(28), true)} to ${short(before(1), true)}`;
}

function left(form) {
  const line = form.querySelector("[data-app-left]");
  if (!line) return;
  const open = [...form.querySelectorAll("[data-app-q]")].filter((question) => !answered(question));
  const all = form.querySelectorAll("[data-app-q]").length;
  if (open.length === all) return;
  line.textContent = open.length ? "Still to answer: " : "Everything is answered.";
  open.forEach((question, place) => {
    const link = document.createElement("a");
    link.className = "govuk-link";
    link.href = `#${question.querySelector("input").id}`;
    link.textContent = question.querySelector(".app-q__label").textContent;
    line.append(link, place === open.length - 1 ? ". You can complete it with “not answered”, but not with a gap." : ", ");
  });
}

function move(event) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const box = event.target;
  if (!step || !box.matches("[data-app-days], [data-app-whole]") || event.altKey || event.ctrlKey || event.metaKey) return;
  const same = box.dataset.appDays ? `[data-app-days="${box.dataset.appDays}"]` : "[data-app-whole]";
  const boxes = [...event.currentTarget.querySelectorAll(same)];
  const next = boxes[boxes.indexOf(box) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.select();
}

for (const form of document.querySelectorAll("form[data-app-top]")) {
  const refresh = () => {
    for (const question of form.querySelectorAll("[data-app-q]")) {
      const sum = question.querySelector("[data-app-sum]");
      const found = total(question);
      if (sum && sum.textContent !== found) sum.textContent = found;
    }
    left(form);
  };
  form.addEventListener("input", () => {
    refresh();
    follow(form);
  });
  form.addEventListener("keydown", move);
  refresh();
}
