// Which pictures `docs/page.md` shows: names of files, states and the window. How they are taken is in
// `pictures.js`.

const WINDOW = { viewport: { width: 840, height: 620 } };
const PHONE = { viewport: { width: 360, height: 640 } };

export const PICTURES = [
  { name: 'empty', state: 'empty', ...WINDOW },
  { name: 'list', state: 'list', ...WINDOW },
  { name: 'editing', state: 'editing', ...WINDOW },
  { name: 'details', state: 'details', ...WINDOW },
  { name: 'deleted', state: 'deleted', ...WINDOW },
  { name: 'offline', state: 'offline', ...WINDOW },
  { name: 'conflict', state: 'conflict', ...WINDOW },
  { name: 'error', state: 'error', ...WINDOW },
  { name: 'login', state: 'login', ...WINDOW },
  { name: 'dark', state: 'list', colorScheme: 'dark', ...WINDOW },
  { name: 'right-to-left', state: 'list', dir: 'rtl', ...WINDOW },
  { name: 'phone', state: 'list', ...PHONE },
];
