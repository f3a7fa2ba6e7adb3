// A field for one number after the other: sends each without leaving the page, so that a scanner never waits.
// A form [data-scan-form] with an input [data-scan-field] inside a box [data-scan-url] [data-scan-failed]; the answer is
// the whole page, whose parts [data-scan-part] take the places of those that are there. The part "outcome" says in
// data-scan-tone ("success", "danger") and data-scan-words what became of the number: for the ear and for screen readers.
// Without this file the form loads the page again.
(() => {
  "use strict";

  const form = document.querySelector("form[data-scan-form]");
  if (!form) return;
  const box = form.closest("[data-scan-url]");
  const field = form.querySelector("[data-scan-field]");
  const waiting = [];
  let running = false;

  const sound = (tone) => { if (tone) window.portal.sounds?.play(tone === "success"); };

  const show = (html, address) => {
    const answer = new DOMParser().parseFromString(html, "text/html");
    const outcome = answer.querySelector("[data-scan-part=outcome]");
    if (!outcome) return false;
    document.querySelectorAll("[data-scan-part]").forEach((part) => {
      const next = answer.querySelector(`[data-scan-part="${part.dataset.scanPart}"]`);
      if (next) part.replaceWith(document.adoptNode(next));
    });
    window.history.replaceState(null, "", address);
    sound(outcome.dataset.scanTone);
    window.portal?.announce(outcome.dataset.scanWords);
    return true;
  };

  const failed = (code) => {
    const part = document.querySelector("[data-scan-part=outcome]");
    const words = `${box.dataset.scanFailed} ${code}`;
    part.textContent = words;
    sound("danger");
    window.portal?.announce(words);
    if (!field.value) field.value = code;
  };

  const run = async () => {
    if (running) return;
    running = true;
    while (waiting.length) {
      const data = waiting.shift();
      try {
        const response = await fetch(box.dataset.scanUrl, { method: "POST", body: data, credentials: "same-origin" });
        if (!response.ok || !show(await response.text(), response.url)) {
          window.location.reload();
          return;
        }
      } catch {
        failed(data.get(field.name));
      }
    }
    running = false;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    form.reset();
    field.value = "";
    field.focus();
    if (!String(data.get(field.name)).trim()) return;
    waiting.push(data);
    run();
  });
  field.focus();
})();
