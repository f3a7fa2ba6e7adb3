// Stocktake on a phone: where one stands, what was scanned and what came of it, and the page without network. The queue
// is that of scanning.js. Without this file the form works.
(() => {
  "use strict";

  const AT_ONCE = 50;
  const SHOWN = 20;
  const person = document.documentElement.dataset.person || "";
  const { queueOf, post, showQueue, showCamera, sound, keepFocus } = window.portal.scanning;

  // What the portal answered since the page was put away lies beside it and goes with it: the page that opens again
  // without network shows it. Written one after the other, and before the scans leave the queue.
  const keptFor = (stocktake) => `mep-offline:${person}:${stocktake}`;
  const answersOf = async (stocktake, address) => {
    if (!("caches" in window) || !(await window.caches.has(keptFor(stocktake)))) return [];
    const kept = await (await window.caches.open(keptFor(stocktake))).match(`${address}answers`);
    return kept ? kept.json() : [];
  };
  let keeping = Promise.resolve();
  const keepAnswer = (stocktake, address, answer) => {
    keeping = keeping.then(async () => {
      if (!("caches" in window) || !(await window.caches.has(keptFor(stocktake)))) return;
      const answers = [...await answersOf(stocktake, address), answer].slice(-SHOWN);
      const cache = await window.caches.open(keptFor(stocktake));
      await cache.put(`${address}answers`, new Response(JSON.stringify(answers)));
    }).catch(() => { /* forbidden or full: the page opens with older numbers */ });
    return keeping;
  };

  const sendTo = async (stocktake, address, scans, take) => {
    const sent = scans.map(({ id, code, room, site, at }) => ({ id, code, room, site, at }));
    const outcome = await post(address, [["scans", JSON.stringify(sent)]]);
    if (!outcome.answer) return outcome;
    take(outcome.answer);
    await keepAnswer(stocktake, address, outcome.answer);
    const refused = outcome.answer.answers.filter((scan) => scan.refused).map((scan) => [scan.id, scan.text]);
    return { refused: Object.fromEntries(refused) };
  };
  const codeOf = (scan) => scan.code;

  // The overview sends what still waits on this device, and says what became of each -----------------------------
  document.querySelectorAll("[data-leftover]").forEach((note) => {
    const answered = (scans) => (answer) => answer.answers.filter((scan) => !scan.refused).forEach((scan) => {
      const line = document.createElement("li");
      line.className = "kern-body";
      line.textContent = `${scans.find((row) => row.id === scan.id)?.code}: ${scan.text}`;
      note.querySelector("[data-answered]").append(line);
    });
    const queue = queueOf("stocktake", note.dataset.leftover, {
      send: (scans) => sendTo(note.dataset.leftover, note.dataset.url, scans, answered(scans)),
      changed: () => show(),
      batch: AT_ONCE,
    });
    const showState = showQueue(note, queue, { nameOf: codeOf });
    const show = () => {
      showState();
      note.hidden = !queue.waiting().length && !queue.aside().length && !note.querySelector("[data-answered] li");
    };
    show();
    queue.run();
  });

  const box = document.querySelector("[data-stocktake]");
  if (!box) return;
  const form = box.querySelector("[data-scan-form]");
  const { code, room, site } = form.elements;
  const list = box.querySelector("[data-scans]");
  const unsent = box.querySelector("[data-unsent]");
  const words = box.dataset;

  // What is shown -----------------------------------------------------------------------------------------------
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
  // On a phone the list lies below the first screen: the newest answer is shown by the field, too.
  const newest = box.querySelector("[data-newest]");
  const showNewest = () => newest.replaceChildren(...[...(list.firstElementChild?.children || [])].map((part) => part.cloneNode(true)));
  new MutationObserver(showNewest).observe(list, { childList: true, subtree: true, characterData: true, attributes: true });

  // The next room follows that in which one stands, also without network: the page knows all of them in their order,
  // as `next_room` of the portal does.
  const link = box.querySelector("[data-next-link]");
  const next = box.querySelector("[data-next]");
  let rooms = JSON.parse(document.getElementById("stocktake-rooms").textContent);
  const isHere = ([name, where]) => name.toLowerCase() === room.value.trim().toLowerCase()
    && (!where || !site?.value || String(where) === site.value);
  const offerNext = () => {
    const here = rooms.findIndex(isHere);
    const following = [...rooms.slice(here + 1), ...rooms.slice(0, here + 1)]
      .find((row) => row[0] && row[3] < row[2] && !isHere(row));
    next.hidden = !following;
    if (!following) return;
    const [name, where, expected, found] = following;
    const shown = { room: name, expected: expected.toLocaleString("de"), found: found.toLocaleString("de") };
    link.dataset.room = name;
    link.dataset.site = where || "";
    link.href = `?${new URLSearchParams(where ? { room: name, site: where } : { room: name })}`;
    link.querySelector("[data-next-text]").textContent = next.dataset.next.replace(/%\((\w+)\)s/g, (_all, key) => shown[key]);
  };

  // Sending -----------------------------------------------------------------------------------------------------
  const showAnswer = (answer) => {
    answer.answers.forEach((scan) => {
      if (scan.refused) list.querySelector(`[data-scan="${scan.id}"]`)?.remove();
      else show(scan.id, scan.tone, scan.label, scan.text);
    });
    box.querySelector("[data-progress]").textContent = answer.progress;
    rooms = answer.rooms || rooms;
    offerNext();
  };
  const take = (answer) => {
    showAnswer(answer);
    window.portal.announce(answer.answers.slice(-3).map((scan) => scan.text).join(" "));
    sound(answer.answers.every((scan) => scan.tone === "success"));
  };
  const queue = queueOf("stocktake", words.stocktake, {
    send: (scans) => sendTo(words.stocktake, words.url, scans, take), changed: () => showAll(), batch: AT_ONCE,
  });
  const showState = showQueue(box, queue, { nameOf: codeOf });
  const shorten = () => {
    const left = new Set(queue.waiting().map((scan) => scan.id));
    [...list.children].slice(SHOWN).filter((row) => !left.has(row.dataset.scan)).forEach((row) => row.remove());
  };
  const showAll = () => {
    showState();
    const waits = queue.waiting().length;
    unsent.hidden = !waits;
    if (waits) unsent.textContent = words.notSent.replace("%s", String(waits));
    queue.aside().forEach((scan) => list.querySelector(`[data-scan="${scan.id}"]`)?.remove());
    shorten();
  };

  const scanned = (text) => {
    const read = text.trim();
    if (!read) return;
    const scan = queue.add({ code: read, room: room.value.trim(), site: site?.value || "" });
    show(scan.id, "", words.waits, read);
    if (navigator.onLine) queue.run();
    else window.portal.announce(words.noted.replace("%s", read));
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    scanned(code.value);
    code.value = "";
    code.focus();
  });
  form.noValidate = true;
  const showWaiting = () => queue.waiting().forEach((scan) => {
    list.prepend(rowOf(scan.id));
    show(scan.id, "", words.waits, scan.code);
  });
  const showKept = async () => {
    const answers = await answersOf(words.stocktake, words.url);
    answers.filter((answer) => answer.moment > words.moment).forEach(showAnswer);
    showWaiting();
  };
  showWaiting();
  showAll();
  showKept().catch(() => { /* forbidden: it stays with what was loaded */ }).finally(queue.run);

  // The room: kept in the address, so that the page opens again where one stood -------------------------------------
  const keepPlace = () => {
    const place = new URLSearchParams();
    if (room.value.trim()) place.set("room", room.value.trim());
    if (site?.value) place.set("site", site.value);
    window.history.replaceState(null, "", `${window.location.pathname}${place.size ? `?${place}` : ""}`);
    offerNext();
  };
  const asked = new URLSearchParams(window.location.search);
  if (asked.has("room")) room.value = asked.get("room");
  if (site && asked.has("site")) site.value = asked.get("site");
  offerNext();
  room.addEventListener("change", keepPlace);
  site?.addEventListener("change", keepPlace);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    room.value = event.currentTarget.dataset.room;
    if (site) site.value = event.currentTarget.dataset.site;
    keepPlace();
    code.focus();
    window.portal.announce(room.value);
  });

  showCamera(box, scanned);
  keepFocus(code);

  // This page and what it is made of are put away, so that it opens again without network. Its worker answers for
  // this page alone; portal.js throws away what was kept for somebody else, and everything at the sign-out.
  const putAway = async () => {
    await navigator.serviceWorker.register(words.worker);
    const cache = await window.caches.open(keptFor(words.stocktake));
    const page = await fetch(words.url, { credentials: "same-origin", redirect: "manual" });
    if (!page.ok) return;
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
