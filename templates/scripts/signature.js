// A signature drawn on screen, by mouse, finger or pen. What is drawn goes into the form as a picture; the way is left out without scripts.
const CLEAREST = 2;

async function begin(box) {
  const { default: SignaturePad } = await import("./signature_pad.min.js");
  const canvas = box.querySelector("canvas");
  const input = document.getElementById(box.dataset.appSign);
  const line = box.querySelector("[data-app-sign-line]");
  const pad = new SignaturePad(canvas, { minWidth: 1, maxWidth: 2.6, penColor: "#0b0c0c" });
  let strokes = [];

  function show() {
    const drawn = input.value !== "";
    const words = drawn ? box.dataset.appSigned : box.dataset.appUnsigned;
    if (line.textContent !== words) line.textContent = words;
  }

  function keep() {
    strokes = pad.toData();
    input.value = pad.isEmpty() ? "" : pad.toDataURL("image/png");
    show();
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // The picture has as many points as the screen shows; when the box changes its width, what was drawn is drawn again.
  function fit() {
    const ratio = Math.min(window.devicePixelRatio || 1, CLEAREST);
    const width = Math.round(canvas.offsetWidth * ratio);
    const height = Math.round(canvas.offsetHeight * ratio);
    if (!width || (canvas.width === width && canvas.height === height)) return;
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d").scale(ratio, ratio);
    pad.clear();
    if (strokes.length) pad.fromData(strokes);
    else if (input.value) pad.fromDataURL(input.value, { ratio });
  }

  new ResizeObserver(fit).observe(canvas);
  fit();
  show();
  pad.addEventListener("endStroke", keep);
  box.querySelector("[data-app-sign-clear]").addEventListener("click", () => {
    pad.clear();
    keep();
  });
  box.querySelector("[data-app-sign-undo]").addEventListener("click", () => {
    const left = pad.toData().slice(0, -1);
    pad.clear();
    if (left.length) pad.fromData(left);
    keep();
  });
  box.dataset.appReady = "";
}

for (const box of document.querySelectorAll("[data-app-sign]")) begin(box);
