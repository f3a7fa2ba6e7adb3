// The map of sites under a finger: where several points lie within its width, their schools are offered as a list, each
// wide enough to be met. A mouse and the keyboard meet single points. Without this file every point is a link.
(() => {
  "use strict";

  const FINGER = 22;

  document.querySelectorAll("[data-map]").forEach((map) => {
    const near = map.querySelector("[data-map-near]");
    const isFinger = (event) => event.detail > 0 && (event.pointerType === "touch"
      || (!event.pointerType && window.matchMedia("(pointer: coarse)").matches));
    const wayTo = (link, event) => {
      const { left, top, width, height } = link.querySelector("[data-map-point]").getBoundingClientRect();
      return Math.hypot(left + width / 2 - event.clientX, top + height / 2 - event.clientY);
    };

    map.querySelector("svg").addEventListener("click", (event) => {
      near.hidden = true;
      if (!isFinger(event)) return;
      const ways = [...map.querySelectorAll("svg a")].map((link) => ({ link, way: wayTo(link, event) }));
      const met = ways.filter(({ way }) => way <= FINGER).sort((one, other) => one.way - other.way);
      if (met.length === 0) return;
      event.preventDefault();
      const addresses = [...new Set(met.map(({ link }) => link.getAttribute("href")))];
      if (addresses.length === 1) {
        window.location.assign(addresses[0]);
        return;
      }
      near.querySelector("ul").replaceChildren(...met.map(({ link }) => {
        const line = document.createElement("li");
        const way = document.createElement("a");
        way.className = "kern-link";
        way.href = link.getAttribute("href");
        way.textContent = link.getAttribute("aria-label");
        line.append(way);
        return line;
      }));
      near.hidden = false;
      near.scrollIntoView({ block: "nearest" });
      near.querySelector("a").focus({ preventScroll: true });
    });
  });
})();
