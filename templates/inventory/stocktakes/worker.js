// Lets one scan page open again without network, from what the page itself has put away; nothing else is answered.
"use strict";

const PAGE = {{ path|safe }};
const KEPT = "mep-offline:";

const forget = async () => {
  for (const name of await caches.keys()) if (name.startsWith(KEPT)) await caches.delete(name);
};

const kept = async (request, failure) => {
  const answer = await caches.match(request, { ignoreSearch: request.mode === "navigate", ignoreVary: true });
  if (answer) return answer;
  throw failure;
};

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  const isPage = request.mode === "navigate" && address.pathname === PAGE;
  if (!isPage && request.mode === "navigate") return;
  event.respondWith((async () => {
    try {
      const answer = await fetch(request);
      // Sent to the sign-in, forbidden or gone: what was put away is no longer this person's to see.
      if (isPage && (answer.type === "opaqueredirect" || answer.status === 403 || answer.status === 404)) await forget();
      return answer;
    } catch (failure) {
      return kept(request, failure);
    }
  })());
});
