// Runs before the page is drawn: says that scripts run, and brings the admin's own switch in step with the portal's.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  const cookie = document.cookie.split("; ").find((entry) => entry.startsWith("theme="));
  const chosen = cookie ? cookie.slice(6) : "auto";
  if (chosen === "light" || chosen === "dark") {
    root.dataset.kernTheme = chosen;
    root.dataset.theme = chosen;
  }
})();
