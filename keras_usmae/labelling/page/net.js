// What is asked of the server, and traces as it sends them.

export const page = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16)).join("");

export class Refused extends Error {}

async function answer(response) {
  if (response.status === 409 || response.status === 507) throw new Refused((await response.json()).refused);
  if (!response.ok) throw new Refused(await response.text());
  return response;
}

export async function get(path) {
  return (await answer(await fetch(path))).json();
}

export async function act(name, asked = {}) {
  const body = JSON.stringify({ page, ...asked });
  return (await answer(await fetch(`act/${name}`, { method: "POST", body }))).json();
}

export function leave() {
  navigator.sendBeacon("act/leave", JSON.stringify({ page }));
}

const kept = new Map(); // signals do not change; what is known of them comes with each answer
const KEPT = 12;

export function view(trace) {
  if (!kept.has(trace)) {
    const coming = fetchView(trace);
    coming.catch(() => kept.delete(trace));
    kept.set(trace, coming);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  }
  return kept.get(trace);
}

export async function freshView(trace) {
  kept.delete(trace);
  return view(trace);
}

async function fetchView(trace) {
  const bytes = await (await answer(await fetch(`trace/${trace}`))).arrayBuffer();
  const size = new DataView(bytes).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, size)));
  let place = 4 + size;
  const floats = (count) => {
    const array = new Float32Array(bytes, place, count);
    place += 4 * count;
    return array;
  };
  head.signal = floats(head.samples);
  head.envelope = floats(head.samples);
  head.beside = head.neighbours.map((number) => ({ number, signal: floats(head.samples) }));
  head.bscan.pixels = new Uint8Array(bytes, place);
  return head;
}
