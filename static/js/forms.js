// Forms: line items, unsaved input kept, drafts that save themselves, no double submit.
(() => {
  "use strict";

  const SAVE_AFTER = 3000;
  const KEEP_AFTER = 400;

  // Line items --------------------------------------------------------------------------------------------
  const renumber = (box) => {
    let number = 0;
    box.querySelectorAll("[data-line]").forEach((line) => {
      if (line.hidden) return;
      number += 1;
      line.querySelector("[data-line-number]").textContent = String(number);
      line.setAttribute("aria-label", `${line.querySelector("[data-line-label]").textContent} ${number}`);
    });
  };

  const prepareLine = (line) => {
    const remove = line.querySelector("[data-line-remove]");
    const box = line.querySelector("[data-line-delete]");
    if (!remove || !box) return;
    remove.hidden = false;
    box.hidden = true;
    if (box.querySelector("input").checked) line.hidden = true;
  };

  const changed = (form) => form && form.dispatchEvent(new Event("change", { bubbles: true }));

  const addLine = (box) => {
    const total = box.querySelector(`[name="${box.dataset.lines}-TOTAL_FORMS"]`);
    const index = Number(total.value);
    const holder = document.createElement("div");
    holder.innerHTML = box.querySelector("[data-lines-template]").innerHTML.replaceAll("__prefix__", String(index));
    const line = holder.firstElementChild;
    box.querySelector("[data-lines-list]").append(line);
    total.value = String(index + 1);
    prepareLine(line);
    renumber(box);
    if (window.htmx) window.htmx.process(line);
    line.querySelector("select, input:not([type=hidden]):not([type=checkbox]), textarea")?.focus();
    changed(box.closest("form"));
    return line;
  };

  document.querySelectorAll("[data-lines]").forEach((box) => {
    box.querySelectorAll("[data-line]").forEach(prepareLine);
    renumber(box);
    box.addEventListener("click", (event) => {
      if (event.target.closest("[data-lines-add]")) {
        event.preventDefault();
        addLine(box);
      }
      const remove = event.target.closest("[data-line-remove]");
      if (remove) {
        const line = remove.closest("[data-line]");
        line.querySelector("[data-line-delete] input").checked = true;
        line.hidden = true;
        renumber(box);
        box.querySelector("[data-lines-add]").focus();
        changed(box.closest("form"));
      }
    });
  });

  // Unsaved input kept in this browser, for this person ----------------------------------------------------
  const person = document.getElementById("portal-kept")?.dataset.person || "";
  // The address may change when a draft gets its own; the key stays that of the first.
  const keyOf = (form) => (form.dataset.keepKey ||= `mep:${person}:${window.location.pathname}:${form.dataset.keep}`);
  const skipped = (control) =>
    !control.name || control.name === "csrfmiddlewaretoken" || ["password", "file", "submit", "button"].includes(control.type);

  const readForm = (form) =>
    [...form.elements].filter((control) => !skipped(control)).map((control) => [
      control.name,
      control.value,
      control.type === "checkbox" || control.type === "radio" ? control.checked : null,
    ]);

  const fill = (form, values) => {
    form.querySelectorAll("[data-lines]").forEach((box) => {
      const name = `${box.dataset.lines}-TOTAL_FORMS`;
      const wanted = Number((values.find(([field]) => field === name) || [name, 0])[1]);
      while (Number(box.querySelector(`[name="${name}"]`).value) < wanted) addLine(box);
    });
    values.forEach(([name, value, checked]) => {
      [...form.elements].filter((control) => control.name === name && !skipped(control)).forEach((control) => {
        if (control.type === "hidden" && !/-(TOTAL_FORMS)$/.test(name)) return;
        if (checked === null) control.value = value;
        else if (control.value === value) control.checked = checked;
      });
    });
    form.querySelectorAll("[data-lines]").forEach((box) => {
      box.querySelectorAll("[data-line]").forEach(prepareLine);
      renumber(box);
    });
  };

  const store = {
    read(key) { try { return JSON.parse(window.localStorage.getItem(key)); } catch { return null; } },
    write(key, value) { try { window.localStorage.setItem(key, JSON.stringify(value)); } catch { /* full or forbidden: nothing is kept */ } },
    remove(key) { try { window.localStorage.removeItem(key); } catch { /* as above */ } },
  };

  // Shared computers: what is kept goes after a week, and with the person who signs out.
  const KEEP_DAYS = 7;
  const kept = (test) => {
    try { return Object.keys(window.localStorage).filter((key) => key.startsWith("mep:") && test(key)); } catch { return []; }
  };
  kept((key) => !(store.read(key)?.at > Date.now() - KEEP_DAYS * 86400000)).forEach(store.remove);
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-sign-out]")) kept((key) => key.startsWith(`mep:${person}:`)).forEach(store.remove);
  });

  const offerKept = (form, values, forget) => {
    const template = document.getElementById("portal-kept");
    if (!template) return;
    const note = template.content.firstElementChild.cloneNode(true);
    form.before(note);
    note.querySelector("[data-kept-restore]").addEventListener("click", () => {
      fill(form, values);
      note.remove();
      changed(form);
      form.querySelector("input:not([type=hidden]), select, textarea")?.focus();
    });
    note.querySelector("[data-kept-discard]").addEventListener("click", () => {
      forget();
      note.remove();
    });
  };

  // Input is done with when the page after sending is neither an error, nor the sign-in, nor the form with errors.
  const SENT = "mep:sent";
  const sentKey = window.sessionStorage.getItem(SENT);
  if (sentKey && !("keepInput" in document.documentElement.dataset)) {
    window.sessionStorage.removeItem(SENT);
    if (!document.querySelector("[data-error-summary]")) store.remove(sentKey);
  }
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-keep]")) {
      store.write(keyOf(event.target), { at: Date.now(), values: readForm(event.target) });
      window.sessionStorage.setItem(SENT, keyOf(event.target));
    }
  });

  document.querySelectorAll("form[data-keep]").forEach((form) => {
    const key = keyOf(form);
    const original = JSON.stringify(readForm(form));
    const entry = store.read(key);
    const failed = document.querySelector("[data-error-summary]");
    if (entry && !failed && JSON.stringify(entry.values) !== original) offerKept(form, entry.values, () => store.remove(key));
    let timer;
    const keep = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => store.write(key, { at: Date.now(), values: readForm(form) }), KEEP_AFTER);
    };
    form.addEventListener("input", keep);
    form.addEventListener("change", keep);
    form.addEventListener("portal:saved", () => { window.clearTimeout(timer); store.remove(key); });
  });

  // Of the other forms a refused one is kept with its place in the history of this tab: whoever comes back to it, or loads
  // it anew, gets its page (nothing is sent again) and is offered what was typed, until it was sent for good.
  const REFUSED = "mep:refused";
  const others = [...document.querySelectorAll(":is(main, #content) form[method=post]:not([data-keep])")];
  const typedIn = (form) => readForm(form).filter(([name]) => form.elements[name].type !== "hidden" || name.endsWith("-TOTAL_FORMS"));
  const isRefused = Boolean(document.querySelector("[data-error-summary]"));
  const onItsWay = window.sessionStorage.getItem(REFUSED);
  if (onItsWay && !("keepInput" in document.documentElement.dataset)) {
    window.sessionStorage.removeItem(REFUSED);
    if (!isRefused) window.sessionStorage.setItem(`${REFUSED}:${onItsWay}`, "sent");
  }
  const remember = (refused) => {
    try { window.history.replaceState({ ...window.history.state, refused }, ""); } catch { /* too much: it is not kept */ }
  };
  if (isRefused) remember({ id: String(Date.now()), person, forms: others.map(typedIn) });
  const refused = window.history.state?.refused;
  if (refused && refused.person === person && !window.sessionStorage.getItem(`${REFUSED}:${refused.id}`)) {
    others.forEach((form, index) => {
      const values = refused.forms[index];
      if (!isRefused && values && JSON.stringify(values) !== JSON.stringify(typedIn(form))) offerKept(form, values, () => remember(null));
      form.addEventListener("submit", () => window.sessionStorage.setItem(REFUSED, refused.id));
    });
  }

  // What the chosen option costs is offered in another field, until somebody types something else there -----
  document.querySelectorAll("select[data-offers]").forEach((select) => {
    const field = select.form?.elements.namedItem(select.dataset.offers);
    if (!field) return;
    const price = () => select.selectedOptions[0]?.dataset.price || "";
    let offered = price();
    select.addEventListener("change", () => {
      if (field.value && field.value !== offered) return;
      field.value = offered = price();
    });
  });

  // The room that is filled in is that of one school: another one empties it, unless somebody typed something there.
  // What is sent from here is meant, so the server need not tell it from what was filled in.
  document.querySelectorAll("select[data-room-of]").forEach((select) => {
    const { room, filled_in: filled } = select.form.elements;
    const offer = () => (select.value === select.dataset.roomOf ? select.dataset.roomHere : "");
    let offered = offer();
    select.addEventListener("change", () => {
      if (room.value === offered) room.value = offer();
      offered = offer();
    });
    select.form.addEventListener("submit", () => { filled.value = ""; });
  });

  // Drafts that save themselves ---------------------------------------------------------------------------
  document.querySelectorAll("form[data-autosave]").forEach((form) => {
    const status = form.querySelector("[data-saved]") || form.appendChild(document.createElement("p"));
    status.className = "portal-saved";
    status.setAttribute("role", "status");
    const words = document.getElementById("portal-kept");
    let timer, running = false, again = false, sending = false, stopped = false, whenDone = null;

    // The answer may hold values for fields, a message, the address of the saved draft, or that saving by itself ends.
    const take = (answer) => {
      Object.entries(answer.values || {}).forEach(([name, value]) => {
        const control = form.elements.namedItem(name);
        if (control) control.value = value;
      });
      if (answer.url && answer.url !== window.location.pathname) {
        window.history.replaceState(window.history.state, "", answer.url);
        form.dataset.autosave = answer.url;
      }
      if (answer.stop) stopped = true;
    };

    const save = async () => {
      if (sending || stopped) return;
      if (running) { again = true; return; }
      running = true;
      try {
        const response = await fetch(form.dataset.autosave, {
          method: "POST",
          body: new FormData(form),
          headers: { "X-Autosave": "1", Accept: "application/json" },
          credentials: "same-origin",
        });
        const answer = (response.headers.get("Content-Type") || "").includes("json") ? await response.json() : {};
        take(answer);
        if (response.ok && answer.saved_at) {
          status.textContent = answer.message || words.dataset.saved.replace("%s", answer.saved_at);
          form.dispatchEvent(new Event("portal:saved"));
        } else {
          status.textContent = answer.message || (response.status >= 500 ? words.dataset.offline : words.dataset.notSaved);
        }
      } catch {
        status.textContent = words.dataset.offline;
      }
      running = false;
      if (whenDone) { whenDone(); whenDone = null; }
      else if (again) { again = false; schedule(); }
    };
    const schedule = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(save, SAVE_AFTER);
    };
    form.addEventListener("input", schedule);
    form.addEventListener("change", schedule);
    // A draft on its way is waited for, so that the form is not refused because of its own draft.
    form.addEventListener("submit", (event) => {
      sending = true;
      window.clearTimeout(timer);
      if (!running) return;
      event.preventDefault();
      const button = event.submitter;
      whenDone = () => form.requestSubmit(button);
    });
    window.addEventListener("pageshow", () => { sending = false; });
  });

  // No double submit, except where the answer is a file and the page stays ----------------------------------
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented || "download" in form.dataset) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    });
  });
})();
