// What the pages for scanning share: a queue that keeps each scan on this device until the portal has answered for it,
// the camera, and the sounds. window.portal.scanning = { queueOf, post, showQueue, showCamera, showSounds, keepFocus }.
//
// queueOf(kind, subject, { send, changed, batch, owns }) keeps each scan as an entry of its own, so that two open pages never
// overwrite each other. Each has an `id` made here: the portal takes it once, however often it is sent. `send(entries)`
// tells what became of them: { refused: { id: reason } } (all others are done), { later: kind } (they wait and are
// tried again), { turnedDown: reason } (none was taken: they are sent one by one, and the guilty one is set aside), or
// { stop: true }. What is set aside stays in sight until somebody clears it; the rest goes on. `owns(entry)` says which
// of it this page shows and clears, where pages of several kinds share a queue.
(() => {
  "use strict";

  const RETRY_AFTER = 4000;
  const PATIENCE = 20000;
  const person = document.documentElement.dataset.person || "";

  const uuid = () => {
    if (window.crypto.randomUUID) return window.crypto.randomUUID();
    const bytes = window.crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };

  // Which page noted a scan: an open page sends its own, any page those of pages that were closed ----------------
  const page = uuid();
  const held = (id) => `mep-scans:${id}`;
  navigator.locks?.request(held(page), () => new Promise(() => {}));
  const openPages = async () => {
    if (!navigator.locks) return new Set();
    return new Set((await navigator.locks.query()).held.map((lock) => lock.name));
  };

  let lastMoment = 0;
  const moment = () => {
    lastMoment = Math.max(Date.now(), lastMoment + 1);
    return new Date(lastMoment).toISOString();
  };

  const storeOf = (prefix, whenNotKept) => {
    const unkept = new Map();
    return {
      put(entry) {
        try {
          window.localStorage.setItem(prefix + entry.id, JSON.stringify(entry));
          unkept.delete(entry.id);
        } catch {
          unkept.set(entry.id, entry);
          whenNotKept();
        }
      },
      remove(id) {
        unkept.delete(id);
        try { window.localStorage.removeItem(prefix + id); } catch { /* forbidden: nothing was kept */ }
      },
      all() {
        const entries = [...unkept.values()];
        try {
          Object.keys(window.localStorage).filter((key) => key.startsWith(prefix)).forEach((key) => {
            entries.push(JSON.parse(window.localStorage.getItem(key)));
          });
        } catch { /* forbidden: nothing was kept */ }
        return entries.sort((one, other) => (one.at < other.at ? -1 : 1));
      },
      isUnkept: () => unkept.size > 0,
    };
  };

  const queueOf = (kind, subject, { send, changed = () => {}, batch = 1, owns = () => true } = {}) => {
    const prefix = `${kind}:${person}:${subject}:`;
    let running = null, timer;
    const queue = {
      problem: "",
      isStopped: false,
      isUnkept: false,
      waiting: () => store.all().filter((entry) => !entry.aside),
      shown: () => queue.waiting().filter(owns),
      aside: () => store.all().filter((entry) => entry.aside && owns(entry)),
      add(facts) {
        const entry = { id: uuid(), page, at: moment(), ...facts };
        store.put(entry);
        changed();
        return entry;
      },
      drop(ids) {
        ids.forEach(store.remove);
        changed();
      },
      clear() { queue.drop(queue.aside().map((entry) => entry.id)); },
      run() {
        window.clearTimeout(timer);
        running ||= pump().finally(() => {
          running = null;
          changed();
          if (queue.waiting().length && !queue.isStopped) timer = window.setTimeout(queue.run, RETRY_AFTER);
        });
        return running;
      },
      settled: () => running || Promise.resolve(),
    };
    const store = storeOf(prefix, () => { queue.isUnkept = true; });

    const ours = async () => {
      const open = await openPages();
      return queue.waiting().filter((entry) => entry.page === page || !open.has(held(entry.page)));
    };
    const setAside = (entry, reason) => store.put({ ...entry, aside: reason });

    const pump = async () => {
      let most = batch;
      while (send && !queue.isStopped) {
        const entries = (await ours()).slice(0, most);
        if (!entries.length) return;
        entries.forEach((entry) => store.put({ ...entry, tried: true }));
        const outcome = await send(entries);
        queue.problem = outcome.later || (outcome.stop ? "stopped" : "");
        queue.isStopped = Boolean(outcome.stop);
        if (outcome.later || outcome.stop) return;
        if (outcome.turnedDown === undefined) {
          entries.forEach((entry) => {
            if (outcome.refused?.[entry.id]) setAside(entry, outcome.refused[entry.id]);
            else store.remove(entry.id);
          });
          most = batch;
        } else if (entries.length > 1) {
          most = 1;
        } else {
          setAside(entries[0], outcome.turnedDown);
          most = batch;
        }
        changed();
      }
    };

    window.addEventListener("online", queue.run);
    document.addEventListener("visibilitychange", () => { if (!document.hidden && queue.waiting().length) queue.run(); });
    window.addEventListener("storage", (event) => { if (!event.key || event.key.startsWith(prefix)) changed(); });
    window.addEventListener("beforeunload", (event) => { if (store.isUnkept()) event.preventDefault(); });
    return queue;
  };

  // Sends pairs and reads the answer: { answer } as JSON, or an outcome for the queue. ------------------------------
  const post = async (address, pairs) => {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const body = new URLSearchParams([["csrfmiddlewaretoken", token], ...pairs]);
    const patience = new AbortController();
    const timer = window.setTimeout(() => patience.abort(), PATIENCE);
    try {
      const response = await fetch(address, {
        method: "POST", body, credentials: "same-origin", redirect: "manual", signal: patience.signal,
        headers: { Accept: "application/json" },
      });
      if (response.type === "opaqueredirect" || [401, 403].includes(response.status)) return { later: "signedOut" };
      if (response.status >= 500 || response.status === 429) return { later: "offline" };
      if (response.status === 404) return { stop: true };
      const isJson = (response.headers.get("Content-Type") || "").includes("application/json");
      const answer = isJson ? await response.json() : {};
      if (response.ok) return isJson ? { answer } : { stop: true };
      return answer.ended ? { stop: true, answer } : { turnedDown: answer.message || "" };
    } catch {
      return { later: "offline" };
    } finally {
      window.clearTimeout(timer);
    }
  };

  // Shows what waits (`quiet`: only where there is a reason, then with its numbers), why (`tellsReason`), and what was
  // set aside: the parts of templates/inventory/_scan_queue.html
  const showQueue = (box, queue, { nameOf, quiet = false, tellsReason = true }) => {
    const place = box.querySelector("[data-queue]");
    const find = (name) => place.querySelector(`[data-queue-${name}]`);
    const words = place.dataset;
    const show = (part, text) => {
      part.hidden = !text;
      if (part.textContent !== text) part.textContent = text;
    };
    find("clear").addEventListener("click", () => queue.clear());
    return () => {
      const waiting = queue.waiting();
      const here = queue.shown();
      const reason = queue.isUnkept && waiting.length ? words.unkept : words[queue.problem] || "";
      const many = (number, one, more) => (number === 1 ? one : more.replace("%s", String(number)));
      show(find("waiting"), here.length && (reason || !quiet) ? many(here.length, words.one, words.many) : "");
      show(find("numbers"), quiet && here.length && reason ? here.map(nameOf).join(", ") : "");
      const elsewhere = find("elsewhere");
      if (elsewhere) {
        const number = waiting.length - here.length;
        elsewhere.hidden = !number || !reason;
        show(elsewhere.querySelector("a"), elsewhere.hidden ? "" : many(number, elsewhere.dataset.one, elsewhere.dataset.many));
      }
      show(find("problem"), (waiting.length || queue.isStopped) && (tellsReason || queue.isUnkept) ? reason : "");
      find("box").hidden = [...find("box").children].every((part) => part.hidden);
      const aside = queue.aside();
      find("aside").hidden = aside.length === 0;
      find("aside").querySelector("ul").replaceChildren(...aside.reverse().map((entry) => {
        const line = document.createElement("li");
        line.className = "kern-body";
        line.textContent = entry.aside.includes(nameOf(entry)) ? entry.aside : `${nameOf(entry)}: ${entry.aside || words.turnedDown}`;
        return line;
      }));
    };
  };

  // The camera: asked for when its button is pressed, not before. The parts of templates/inventory/_camera.html
  const showCamera = (box, onCode) => {
    const place = box.querySelector("[data-camera-box]");
    const button = place.querySelector("[data-camera]");
    const problem = place.querySelector("[data-camera-problem]");
    const words = place.dataset;
    const camera = window.portal.camera(place.querySelector("[data-video]"), words.decoder);
    const tell = (text) => {
      problem.hidden = !text;
      problem.textContent = text;
    };
    const showState = () => button.setAttribute("aria-pressed", String(camera.isOn()));
    button.hidden = !camera.isThere;
    button.addEventListener("click", async () => {
      tell("");
      if (camera.isOn()) {
        camera.stop();
        window.portal.announce(words.off);
      } else {
        try {
          await camera.start(onCode);
          window.portal.announce(words.on);
        } catch {
          tell(words.none);
        }
      }
      showState();
    });
    document.addEventListener("visibilitychange", showState);
  };

  // Sounds: words and colour say the same ---------------------------------------------------------------------------
  const showSounds = (place, after = () => {}) => {
    const sounds = window.portal.sounds;
    if (!place || !sounds?.possible) return;
    const check = place.querySelector("input");
    place.hidden = false;
    check.checked = sounds.isOn();
    check.addEventListener("change", () => {
      sounds.turn(check.checked);
      sounds.play(true);
      after();
    });
  };
  const sound = (good) => {
    navigator.vibrate?.(good ? 40 : [80, 80, 80]);
    window.portal.sounds?.play(good);
  };

  // The field keeps the focus: a hand scanner types wherever it is ----------------------------------------------------
  const keepFocus = (field) => {
    document.addEventListener("keydown", (event) => {
      const typing = event.target.matches("textarea, select, input:not([type=checkbox])");
      if (typing || event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return;
      field.focus();
    });
    field.focus();
  };

  window.portal.scanning = { queueOf, post, showQueue, showCamera, showSounds, sound, keepFocus };
})();
