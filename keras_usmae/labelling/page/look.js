// Colours of the theme, canvases that are sharp, and the one time axis that all plots share.

export const GUTTER = 56; // px left of every plot, for its labels

let colours = null;
const scheme = matchMedia("(prefers-color-scheme: dark)");
scheme.addEventListener("change", () => { colours = null; });
export function onTheme(redraw) { scheme.addEventListener("change", redraw); }

export function colour(name) {
  if (!colours) colours = {};
  colours[name] ??= getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  return colours[name];
}

export const FONT = '11px system-ui, "Segoe UI", "DejaVu Sans", sans-serif';

// A canvas in CSS pixels: its context, width and height.
export function sheet(canvas) {
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = FONT;
  return { context, width, height };
}

// The part of the record that is shown, in samples; it stays from trace to trace.
export class TimeAxis {
  constructor(samples) { this.samples = samples; this.all(); }
  all() { this.first = 0; this.last = this.samples - 1; }
  get span() { return this.last - this.first; }
  set(first, span) {
    span = Math.min(Math.max(span, 8), this.samples - 1);
    this.first = Math.min(Math.max(first, 0), this.samples - 1 - span);
    this.last = this.first + span;
  }
  zoom(factor, about) { this.set(about - (about - this.first) * factor, this.span * factor); }
  shows(sample) { return sample >= this.first && sample <= this.last; }
  center(sample) { this.set(sample - this.span / 2, this.span); }
  // The place of a sample between two edges in px.
  place(sample, left, right) { return left + (sample - this.first) / this.span * (right - left); }
  sample(place, left, right) { return this.first + (place - left) / (right - left) * this.span; }
}
