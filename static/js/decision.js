// The decision screen: templates go into their text, and quantities back to what was applied for, without a reload.
(() => {
  "use strict";

  const changed = (control) => {
    ["input", "change"].forEach((name) => control.dispatchEvent(new Event(name, { bubbles: true })));
  };

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
