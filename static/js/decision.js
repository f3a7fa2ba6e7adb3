// The decision screen: templates go into their text, and quantities back to what was applied for, without a reload.
// Ctrl and Enter press the main button.
(() => {
  "use strict";

  const changed = (control) => {
    ["input", "change"].forEach((name) => control.dispatchEvent(new Event(name, { bubbles: true })));
  };

  // From anywhere on the page to the main button; a chord, so that it is never typed by chance.
  document.addEventListener("keydown", (event) => {
    const main = document.querySelector("[data-main-step]");
    if (main && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      main.form.requestSubmit(main);
    }
  });

  document.addEventListener("click", (event) => {
    const insert = event.target.closest("[data-insert]");
    if (insert) {
      event.preventDefault();
      const option = document.getElementById(insert.dataset.insert).selectedOptions[0];
      const text = document.getElementById(insert.dataset.into);
      if (option.dataset.text) {
        text.value = [text.value.trim(), option.dataset.text].filter(Boolean).join("\n\n");
        changed(text);
      }
      text.focus();
      return;
    }
    if (event.target.closest("[data-fill]")) {
      event.preventDefault();
      document.querySelectorAll("[data-asked]").forEach((input) => {
        input.value = input.dataset.asked;
        changed(input);
      });
    }
  });
})();
