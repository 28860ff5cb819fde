// The service worker: opens the page without a network, from what it kept. Todos are not its business.

const VERSION = new URL('.', location).pathname.split('/').at(-2);
const PREFIX = `todostack ${registration.scope} `;
const CACHE = PREFIX + VERSION;

addEventListener('install', (event) => event.waitUntil(keep()));

addEventListener('activate', (event) => {
  const drop = async () => {
    const names = await caches.keys();
    await Promise.all(
      names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
    );
    await clients.claim();
  };
  event.waitUntil(drop());
});

addEventListener('fetch', (event) => {
  const { request } = event;
  const address = request.url.split(/[?#]/)[0];
  if (request.mode === 'navigate' && address === registration.scope) event.respondWith(fromNetwork(request));
  else if (address.startsWith(`${registration.scope}page/`)) event.respondWith(fromCache(request));
});

/** The page and all of its files, whose addresses are in the page. */
async function keep() {
  const cache = await caches.open(CACHE);
  const page = await getPage();
  const files = [...(await page.clone().text()).matchAll(/(?:href|src)="(page\/[^"]+)"/g)].map(
    ([, file]) => file,
  );
  await cache.addAll(files.map((file) => registration.scope + file));
  await cache.put(registration.scope, page);
  await skipWaiting();
}

async function getPage() {
  const page = await fetch(registration.scope, { headers: { accept: 'text/html' }, cache: 'no-cache' });
  if (!page.ok || !page.headers.get('content-type').startsWith('text/html'))
    throw new Error(`HTTP ${page.status}`);
  return page;
}

/** The page is asked for each time, so that it is never old while there is a network. */
async function fromNetwork(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await (await caches.open(CACHE)).match(registration.scope, { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

/** Another content has another address. */
async function fromCache(request) {
  return (await (await caches.open(CACHE)).match(request.url, { ignoreVary: true })) ?? fetch(request);
}
