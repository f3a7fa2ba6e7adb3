// Stocktake on a phone: each scan is kept on the phone until the portal has answered for it, also when the page is
// closed in between. The phone makes its key, so that sending it twice counts once. Without this file the form works.
(() => {
  "use strict";

  const AT_ONCE = 50;
  const SHOWN = 20;
  const TRY_AGAIN = 15000;
  const PATIENCE = 20000;

  const uuid = () => {
    if (window.crypto.randomUUID) return window.crypto.randomUUID();
    const bytes = window.crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };

  // What waits: one entry for each scan, so that two open pages never overwrite each other --------------------
  const person = document.documentElement.dataset.person || "";
  const queueOf = (stocktake, whenNotKept) => {
    const prefix = `stocktake:${person}:${stocktake}:`;
    const unkept = new Map();
    return {
      add(scan) {
        try {
          window.localStorage.setItem(prefix + scan.id, JSON.stringify(scan));
        } catch {
          unkept.set(scan.id, scan);
          whenNotKept();
        }
      },
      remove(id) {
        unkept.delete(id);
        try { window.localStorage.removeItem(prefix + id); } catch { /* forbidden: nothing was kept */ }
      },
      all() {
        const scans = [...unkept.values()];
        try {
          Object.keys(window.localStorage).filter((key) => key.startsWith(prefix)).forEach((key) => {
            scans.push(JSON.parse(window.localStorage.getItem(key)));
          });
        } catch { /* forbidden: nothing was kept */ }
        return scans.sort((one, other) => (one.at < other.at ? -1 : 1));
      },
    };
  };

  const post = async (address, scans) => {
    const body = new FormData();
    body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
    body.set("scans", JSON.stringify(scans));
    const patience = new AbortController();
    const timer = window.setTimeout(() => patience.abort(), PATIENCE);
    try {
      return await fetch(address, {
        method: "POST", body, credentials: "same-origin", redirect: "manual", signal: patience.signal,
        headers: { Accept: "application/json" },
      });
    } finally {
      window.clearTimeout(timer);
    }
  };

  // The overview sends what still waits on this device, and says what became of each -----------------------------
  const sendLeftover = async (note) => {
    const queue = queueOf(note.dataset.leftover, () => {});
    for (let scans = queue.all(); scans.length; scans = queue.all()) {
      const response = await post(note.dataset.url, scans.slice(0, AT_ONCE));
      if (!response.ok) return;
      (await response.json()).answers.forEach((scan) => {
        const line = document.createElement("li");
        line.textContent = `${note.dataset.codeOf.replace("%s", scans.find((row) => row.id === scan.id)?.code || "")} ${scan.text}`;
        note.querySelector("ul").append(line);
        note.hidden = false;
        queue.remove(scan.id);
      });
    }
  };
  document.querySelectorAll("[data-leftover]").forEach((note) => {
    sendLeftover(note).catch(() => { /* no network: the scans wait */ });
  });

  const box = document.querySelector("[data-stocktake]");
  if (!box) return;
  const form = box.querySelector("[data-scan-form]");
  const { code, room, site } = form.elements;
  const list = box.querySelector("[data-scans]");
  const waiting = box.querySelector("[data-waiting]");
  const problem = box.querySelector("[data-problem]");
  const words = box.dataset;
  const queue = queueOf(words.stocktake, () => tell(words.notKept));

  // What is shown -----------------------------------------------------------------------------------------------
  const tell = (text) => {
    problem.hidden = !text;
    if (problem.textContent !== text) problem.textContent = text;
  };
  const rowOf = (id) => {
    const found = list.querySelector(`[data-scan="${id}"]`);
    if (found) return found;
    const row = box.querySelector("template[data-row]").content.firstElementChild.cloneNode(true);
    row.dataset.scan = id;
    list.prepend(row);
    return row;
  };
  const show = (id, tone, label, text) => {
    const row = rowOf(id);
    row.replaceChildren(...box.querySelector("template[data-row]").content.firstElementChild.cloneNode(true).childNodes);
    row.querySelector("[data-badge]").className = tone ? `kern-badge kern-badge--${tone}` : "kern-badge portal-badge--neutral";
    const icon = row.querySelector("[data-icon]");
    icon.hidden = !tone;
    if (tone) icon.className = `kern-icon kern-icon--${tone}`;
    row.querySelector("[data-label]").textContent = label.charAt(0).toUpperCase() + label.slice(1);
    row.querySelector("[data-text]").textContent = text;
  };
  const shorten = () => {
    const left = new Set(queue.all().map((scan) => scan.id));
    [...list.children].slice(SHOWN).filter((row) => !left.has(row.dataset.scan)).forEach((row) => row.remove());
  };
  const showWaiting = () => {
    const number = queue.all().length;
    const text = number === 1 ? words.oneWaiting : words.manyWaiting.replace("%s", String(number));
    waiting.hidden = number === 0;
    waiting.textContent = number ? text : "";
  };

  const showNext = (next) => {
    box.querySelector("[data-next]").hidden = !next;
    if (!next) return;
    const link = box.querySelector("[data-next-link]");
    link.dataset.room = next.room;
    link.dataset.site = next.site || "";
    link.href = `?${new URLSearchParams(next.site ? { room: next.room, site: next.site } : { room: next.room })}`;
    box.querySelector("[data-next-text]").textContent = next.text;
  };

  // Sending -----------------------------------------------------------------------------------------------------
  const take = (answer) => {
    answer.answers.forEach((scan) => {
      show(scan.id, scan.tone, scan.label, scan.text);
      queue.remove(scan.id);
    });
    box.querySelector("[data-progress]").textContent = answer.progress;
    showNext(answer.next);
    const spoken = answer.answers.slice(-3).map((scan) => scan.text).join(" ");
    window.portal.announce(spoken);
    const bad = answer.answers.some((scan) => scan.tone !== "success");
    navigator.vibrate?.(bad ? [80, 80, 80] : 40);
    window.portal.sounds?.play(!bad);
  };

  let sending = false;
  const send = async () => {
    if (sending) return;
    sending = true;
    try {
      for (let scans = queue.all(); scans.length; scans = queue.all()) {
        const response = await post(words.url, scans.slice(0, AT_ONCE));
        if (response.type === "opaqueredirect" || response.status === 401) { tell(words.signedOut); break; }
        if (!response.ok) { tell(response.status >= 500 ? "" : words.refused); break; }
        tell("");
        take(await response.json());
      }
    } catch { /* no network: the scans wait */ }
    sending = false;
    showWaiting();
    shorten();
  };

  const scanned = (text) => {
    const read = text.trim();
    if (!read) return;
    const scan = { id: uuid(), code: read, room: room.value.trim(), site: site?.value || "", at: new Date().toISOString() };
    queue.add(scan);
    show(scan.id, "", words.waits, read);
    showWaiting();
    if (navigator.onLine) send();
    else window.portal.announce(words.noted.replace("%s", read));
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    scanned(code.value);
    code.value = "";
    code.focus();
  });
  form.noValidate = true;
  queue.all().forEach((scan) => show(scan.id, "", words.waits, scan.code));
  showWaiting();
  send();
  window.addEventListener("online", send);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
  window.setInterval(() => { if (queue.all().length) send(); }, TRY_AGAIN);
  window.addEventListener("storage", showWaiting);

  // The room: kept in the address, so that the page opens again where one stood -------------------------------------
  const keepPlace = () => {
    const place = new URLSearchParams();
    if (room.value.trim()) place.set("room", room.value.trim());
    if (site?.value) place.set("site", site.value);
    window.history.replaceState(null, "", `${window.location.pathname}${place.size ? `?${place}` : ""}`);
  };
  const asked = new URLSearchParams(window.location.search);
  if (asked.has("room")) room.value = asked.get("room");
  if (site && asked.has("site")) site.value = asked.get("site");
  room.addEventListener("change", keepPlace);
  site?.addEventListener("change", keepPlace);
  box.querySelector("[data-next-link]").addEventListener("click", (event) => {
    event.preventDefault();
    room.value = event.currentTarget.dataset.room;
    if (site) site.value = event.currentTarget.dataset.site;
    keepPlace();
    code.focus();
    window.portal.announce(room.value);
  });

  // The camera: asked for when its button is pressed, not before ----------------------------------------------------
  const button = box.querySelector("[data-camera]");
  const camera = window.portal.camera(box.querySelector("[data-video]"), words.decoder);
  button.hidden = !camera.isThere;
  const showCamera = () => button.setAttribute("aria-pressed", String(camera.isOn()));
  button.addEventListener("click", async () => {
    if (camera.isOn()) {
      camera.stop();
      window.portal.announce(words.cameraOff);
    } else {
      try {
        await camera.start(scanned);
        tell("");
        window.portal.announce(words.cameraOn);
      } catch {
        tell(words.noCamera);
      }
    }
    showCamera();
  });
  document.addEventListener("visibilitychange", showCamera);

  // This page and what it is made of are put away, so that it opens again without network. Its worker answers for
  // this page alone; portal.js throws away what was kept for somebody else, and everything at the sign-out.
  const putAway = async () => {
    await navigator.serviceWorker.register(words.worker);
    const page = await fetch(words.url, { credentials: "same-origin", redirect: "manual" });
    if (!page.ok) return;
    const cache = await window.caches.open(`mep-offline:${person}:${words.stocktake}`);
    await cache.put(words.url, page);
    const parts = window.performance.getEntriesByType("resource").map((entry) => new URL(entry.name));
    const own = parts.filter((part) => part.origin === window.location.origin && part.pathname.startsWith("/static/"));
    const addresses = new Set([...own.map((part) => part.pathname), ...("BarcodeDetector" in window ? [] : [words.decoder])]);
    await Promise.allSettled([...addresses].map((address) => cache.add(address)));
    box.dataset.keptAway = "yes";
  };
  if ("serviceWorker" in navigator && "caches" in window && navigator.onLine) {
    window.addEventListener("load", () => { putAway().catch(() => { /* no network any more, or forbidden */ }); });
  }
})();
