// A part of a form that only one answer needs: data-app-when="name=value" is shown with that answer, and always where something stands in it.
function holds(part) {
  return [...part.querySelectorAll("input, select, textarea")].some((box) =>
    box.type === "checkbox" || box.type === "radio" ? box.checked : box.value !== "",
  );
}

function show(form) {
  for (const part of form.querySelectorAll("[data-app-when]")) {
    const [name, value] = part.dataset.appWhen.split("=");
    const named = CSS.escape(name);
    const chosen = form.querySelector(`input[name="${named}"]:checked, select[name="${named}"]`);
    part.hidden = chosen?.value !== value && !holds(part) && !part.querySelector(".govuk-error-message");
  }
}

for (const form of new Set([...document.querySelectorAll("[data-app-when]")].map((part) => part.closest("form")))) {
  show(form);
  form.addEventListener("change", () => show(form));
}
