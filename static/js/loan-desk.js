// Handing out and taking back: each number is sent without leaving the page, so that a scanner never waits, and kept on
// this device until the portal has answered for it. What was scanned on a page that was closed is sent by the next page
// of loans; what was refused is shown where it was scanned, and by the list of loans. The answer holds the page anew,
// whose parts [data-scan-part] take the places of those that are there. Without this file the form loads the page again.
(() => {
  "use strict";

  const { queueOf, post, showQueue, showCamera, showSounds, sound, keepFocus } = window.portal.scanning;
  const box = document.querySelector("[data-desk]");
  if (!box) return;
  const form = document.querySelector("form[data-scan-form]");
  const field = form?.querySelector("[data-scan-field]");
  const later = box.querySelector("[data-later]");

  const showParts = (html) => {
    const answer = new DOMParser().parseFromString(html, "text/html");
    document.querySelectorAll("[data-scan-part]").forEach((part) => {
      const next = answer.querySelector(`[data-scan-part="${part.dataset.scanPart}"]`);
      if (next) part.replaceWith(document.adoptNode(next));
    });
  };
  const showLater = (text) => {
    const line = document.createElement("li");
    line.className = "kern-body";
    text.split(/(\bL-\w{3}-\w{3}\b)/).forEach((part, place) => {
      const piece = document.createElement("span");
      piece.textContent = part;
      piece.className = place % 2 ? "portal-nowrap" : "";
      line.append(piece);
    });
    later.querySelector("ul").prepend(line);
    later.hidden = false;
  };

  const send = async ([entry]) => {
    const outcome = await post(entry.url, [["key", entry.id], ...entry.fields]);
    if (!outcome.answer) return outcome;
    const { tone, words, text, page } = outcome.answer;
    if (page && entry.url === box.dataset.desk) showParts(page);
    else if (tone !== "danger") showLater(words);
    sound(tone !== "danger");
    window.portal.announce(words);
    return tone === "danger" ? { refused: { [entry.id]: text } } : {};
  };

  const codeOf = (entry) => Object.fromEntries(entry.fields).code;
  const pathOf = (address) => new URL(address, window.location.href).pathname;
  const owns = (entry) => "deskAll" in box.dataset || pathOf(entry.url) === window.location.pathname;
  const queue = queueOf("loans", "desk", { send, owns, changed: () => show() });
  const showState = showQueue(box, queue, { nameOf: codeOf, quiet: true });
  let toldOf = "";
  const show = () => {
    showState();
    const problem = queue.waiting().length ? queue.problem : "";
    if (problem && problem !== toldOf) sound(false);
    toldOf = problem;
  };

  if (form) {
    const scan = (fields) => {
      if (!Object.fromEntries(fields).code) return;
      queue.add({ url: box.dataset.desk, fields });
      queue.run();
    };
    const fieldsOf = () => [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken" && name !== "key")
      .map(([name, value]) => [name, String(value).trim()]);
    const takeFields = () => {
      const fields = fieldsOf();
      form.reset();
      field.value = "";
      return fields;
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const fields = takeFields();
      field.focus();
      scan(fields);
    });
    showCamera(box, (code) => {
      field.value = code;
      scan(takeFields());
    });
    showSounds(box.querySelector("[data-scan-sound]"), () => field.focus());
    keepFocus(field);
  }
  show();
  queue.run();
})();
