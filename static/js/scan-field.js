// A field for one number after the other: sends each without leaving the page, so that a scanner never waits.
// A form [data-scan-form] with an input [data-scan-field] inside a box [data-scan-url]; the answer is the whole page,
// whose parts [data-scan-part] take the places of those that are there. The part "outcome" says in data-scan-tone
// ("success", "danger") and data-scan-words what became of the number: for the ear and for screen readers. What went
// wrong (data-scan-text) stays in the list [data-scan-refused]; what was not sent yet stands in [data-scan-waiting] and
// is tried again. Without this file the form loads the page again.
(() => {
  "use strict";

  const RETRY_AFTER = 4000;
  const form = document.querySelector("form[data-scan-form]");
  if (!form) return;
  const box = form.closest("[data-scan-url]");
  const field = form.querySelector("[data-scan-field]");
  const unsent = document.querySelector("[data-scan-waiting]");
  const refused = document.querySelector("[data-scan-refused]");
  const waiting = [];
  let running = false, stopped = false, timer;

  const sound = (tone) => { if (tone) window.portal.sounds?.play(tone === "success"); };
  const numberOf = (data) => String(data.get(field.name)).trim();

  const refuse = (words) => {
    const line = document.createElement("li");
    line.className = "kern-body";
    line.textContent = words;
    refused.querySelector("ul").prepend(line);
    refused.hidden = false;
  };

  const show = (html, address) => {
    const answer = new DOMParser().parseFromString(html, "text/html");
    const outcome = answer.querySelector("[data-scan-part=outcome]");
    if (!outcome) return false;
    document.querySelectorAll("[data-scan-part]").forEach((part) => {
      const next = answer.querySelector(`[data-scan-part="${part.dataset.scanPart}"]`);
      if (next) part.replaceWith(document.adoptNode(next));
    });
    window.history.replaceState(null, "", address);
    if (outcome.dataset.scanTone === "danger") refuse(outcome.dataset.scanText);
    sound(outcome.dataset.scanTone);
    window.portal.announce(outcome.dataset.scanWords);
    return true;
  };

  // Says why the numbers wait; only what is new about it is heard.
  const tell = (words) => {
    const said = words && waiting.length ? `${words} ${waiting.map(numberOf).join(", ")}` : "";
    if (unsent.dataset.scanWaiting !== words && said) {
      sound("danger");
      window.portal.announce(said);
    }
    unsent.dataset.scanWaiting = said ? words : "";
    unsent.textContent = said;
    unsent.hidden = !said;
  };

  const send = async (data) => {
    let response;
    try {
      response = await fetch(box.dataset.scanUrl, { method: "POST", body: data, credentials: "same-origin" });
    } catch {
      return box.dataset.scanOffline;
    }
    if (response.status >= 500) return box.dataset.scanOffline;
    if (response.ok && show(await response.text(), response.url)) return "";
    stopped = true;
    return box.dataset.scanStopped;
  };

  const run = async () => {
    if (running || stopped) return;
    running = true;
    window.clearTimeout(timer);
    let problem = "";
    while (waiting.length && !problem) {
      problem = await send(waiting[0]);
      if (!problem) waiting.shift();
      tell(problem);
    }
    running = false;
    if (problem && !stopped) timer = window.setTimeout(run, RETRY_AFTER);
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    form.reset();
    field.value = "";
    field.focus();
    if (!numberOf(data)) return;
    waiting.push(data);
    if (unsent.dataset.scanWaiting) tell(unsent.dataset.scanWaiting);
    run();
  });
  window.addEventListener("online", run);
  window.addEventListener("beforeunload", (event) => { if (waiting.length && !stopped) event.preventDefault(); });
  field.focus();
})();
