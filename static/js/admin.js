// The admin's tables of rows name their columns only above; every control gets the name of its column.
// Where such a table is wider than the page, the keyboard can scroll it.
(() => {
  "use strict";

  const label = (table) => {
    const headers = [...table.querySelectorAll("thead th")];
    headers.forEach((header) => {
      if (!header.textContent.trim()) header.setAttribute("aria-hidden", "true");
    });
    table.querySelectorAll("tbody tr").forEach((row) => {
      [...row.cells].forEach((cell, index) => {
        const name = headers[index]?.textContent.trim();
        cell.querySelectorAll("input:not([type=hidden]), select, textarea").forEach((control) => {
          if (name && !control.labels?.length && !control.hasAttribute("aria-label")) control.setAttribute("aria-label", name);
        });
      });
    });
  };

  const labelAll = () => document.querySelectorAll(".inline-group .tabular table").forEach(label);

  const reach = (group) => {
    const name = group.querySelector("h2")?.textContent.trim();
    const scrolls = group.scrollWidth > group.clientWidth;
    for (const [attribute, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", name]]) {
      if (scrolls && value) group.setAttribute(attribute, value);
      else group.removeAttribute(attribute);
    }
  };
  const watched = new ResizeObserver((changes) => changes.forEach((change) => reach(change.target)));

  window.addEventListener("load", () => {
    labelAll();
    document.querySelectorAll(".inline-group").forEach((group) => watched.observe(group));
  });
  document.addEventListener("formset:added", labelAll);
})();
