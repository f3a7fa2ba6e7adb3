// The frame: menu on phones, drop-downs, appearance, chosen rows. Everything works without this file, only plainer.
(() => {
  "use strict";

  const announce = (text) => {
    const place = document.querySelector("[data-announcer]");
    if (place) {
      place.textContent = "";
      window.setTimeout(() => { place.textContent = text; }, 50);
    }
  };
  window.portal = { announce };

  // Menu on phones
  const menuButton = document.querySelector("[data-menu-button]");
  if (menuButton) {
    const menu = document.getElementById(menuButton.getAttribute("aria-controls"));
    menuButton.addEventListener("click", () => {
      const open = menu.classList.toggle("is-open");
      menuButton.setAttribute("aria-expanded", String(open));
    });
  }

  // Drop-downs close on Escape, on a click elsewhere, and once a place on this page was chosen in one
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector(".portal-dropdown[open]");
    if (open) {
      open.removeAttribute("open");
      open.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => {
    document.querySelectorAll(".portal-dropdown[open]").forEach((dropdown) => {
      if (!dropdown.contains(event.target) || event.target.closest("a[href^='#']")) dropdown.removeAttribute("open");
    });
  });

  // Appearance
  const themeSwitch = document.querySelector("[data-theme-switch]");
  const showTheme = (value) => {
    const root = document.documentElement;
    if (value === "auto") {
      delete root.dataset.kernTheme;
      root.dataset.theme = "auto";
    } else {
      root.dataset.kernTheme = value;
      root.dataset.theme = value;
    }
    themeSwitch.querySelectorAll("[data-theme-value]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.themeValue === value));
    });
  };
  if (themeSwitch) {
    themeSwitch.hidden = false;
    showTheme(document.documentElement.dataset.kernTheme || "auto");
    themeSwitch.addEventListener("click", (event) => {
      const button = event.target.closest("[data-theme-value]");
      if (!button) return;
      const value = button.dataset.themeValue;
      const secure = window.location.protocol === "https:" ? "; Secure" : "";
      document.cookie = `theme=${value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
      showTheme(value);
    });
  }

  // Empty filters stay out of the address
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "get" || !form.matches("[data-filters]")) return;
    form.querySelectorAll("input, select").forEach((control) => {
      if (control.value === "") control.disabled = true;
    });
    window.setTimeout(() => form.querySelectorAll(":disabled").forEach((control) => { control.disabled = false; }), 0);
  });

  // On a phone all filters but the first wait behind a button
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-filters-toggle]");
    if (!button) return;
    const form = button.closest("form");
    const open = form.classList.toggle("is-open");
    button.setAttribute("aria-expanded", String(open));
    const byKey = event.detail === 0;
    if (open && byKey) form.querySelector(":scope > .kern-form-input:not(:first-of-type) :is(input, select)")?.focus();
  });

  // Rows chosen for an action on several
  const updateRows = (form) => {
    const boxes = [...form.querySelectorAll("[data-row-check]")];
    const chosen = boxes.filter((box) => box.checked).length;
    const all = form.querySelector("[data-row-check-all]");
    if (all) {
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    }
    const bar = form.querySelector("[data-bulk]");
    if (!bar) return;
    bar.hidden = chosen === 0;
    const text = bar.querySelector("[data-bulk-count]");
    const words = chosen === 1 ? text.dataset.one : text.dataset.many;
    text.textContent = words.replace("%s", String(chosen));
    const hint = bar.querySelector("[data-bulk-hint]");
    if (chosen && form.contains(document.activeElement)) announce(`${text.textContent}. ${hint.textContent}`);
  };
  // From a row to the actions and back: between them lie all rows that follow
  const leadByKey = (form, event, row) => {
    const bar = form.querySelector("[data-bulk]");
    if (event.key === "Enter" && event.target.matches("[data-row-check], [data-row-check-all]")) {
      event.preventDefault();
      if (bar && !bar.hidden) bar.querySelector("button").focus({ preventScroll: true });
      return event.target;
    }
    if (event.key === "Escape" && row && event.target.closest("[data-bulk]")) row.focus();
    return row;
  };
  const watchRows = (root) => {
    root.querySelectorAll("[data-rows]").forEach((form) => {
      const all = form.querySelector("[data-row-check-all]");
      if (all) all.closest("[hidden]")?.removeAttribute("hidden");
      updateRows(form);
      let row = null;
      form.addEventListener("keydown", (event) => { row = leadByKey(form, event, row); });
      form.addEventListener("change", (event) => {
        if (event.target.matches("[data-row-check-all]")) {
          form.querySelectorAll("[data-row-check]").forEach((box) => { box.checked = event.target.checked; });
        }
        updateRows(form);
      });
    });
  };
  watchRows(document);
  window.addEventListener("pageshow", () => document.querySelectorAll("[data-rows]").forEach(updateRows));

  // The summary of errors is read first
  const summary = document.querySelector("[data-error-summary]");
  if (summary) summary.focus();

  // Whoever comes back to a refused form, or loads it anew, gets its page: the browser asks for it, and sends nothing
  if (summary) window.history.replaceState(window.history.state, "", window.location.href);

  // What a page has put away for use without network belongs to one person: it goes with them
  const forgetKept = async (isTheirs) => {
    const names = (await window.caches.keys()).filter((name) => name.startsWith("mep-offline:") && !isTheirs(name));
    await Promise.all(names.map((name) => window.caches.delete(name)));
  };
  if ("caches" in window) {
    const person = document.documentElement.dataset.person || "";
    forgetKept((name) => person && name.startsWith(`mep-offline:${person}:`)).catch(() => { /* forbidden: nothing is kept */ });
    document.addEventListener("submit", (event) => {
      if (!event.target.matches("form[data-sign-out]")) return;
      forgetKept(() => false).catch(() => { /* as above */ });
      navigator.serviceWorker?.getRegistrations().then((workers) => workers.forEach((worker) => worker.unregister()));
    });
  }

  // Charts print with their tables
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll(".portal-chart details").forEach((details) => { details.open = true; });
  });
})();
