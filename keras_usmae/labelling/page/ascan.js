// The A-scan: signal and envelope by uPlot, and over them gates, intervals, picks and the mark.

import { colour, FONT, GUTTER } from "./look.js";

const NEAR = 7; // px from the mark, within which it is taken hold of

export class AScan {
  // `shown` gives { view, mark, echo, axis, facts }; `moved(sample)` takes a new mark, `panned()` a new part.
  constructor(element, facts, shown, moved, panned) {
    Object.assign(this, { element, facts, shown, moved, panned, gain: 1 });
    this.microseconds = (sample) => 1e6 * (sample / facts.sampling_rate + facts.start_time);
    this.build();
    new ResizeObserver(() => this.resize()).observe(element);
    this.listen();
  }

  build() {
    this.plot?.destroy();
    const axis = (more) => ({ stroke: colour("quiet"), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false }, font: FONT, ...more });
    const range = () => {
      const { axis } = this.shown();
      return [this.microseconds(axis.first), this.microseconds(axis.last)];
    };
    const height = () => { const reach = this.reach() * 1.06 / this.gain; return [-reach, reach]; };
    this.plot = new uPlot({
      width: Math.max(this.element.clientWidth, 80), height: Math.max(this.element.clientHeight, 80),
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
      scales: { x: { time: false, range }, y: { range: height } },
      axes: [
        axis({ size: 24, gap: 2, values: (u, ticks) => ticks.map((tick) => `${tick}`) }),
        axis({ size: GUTTER, gap: 4, values: (u, ticks) => ticks.map((tick) => +tick.toPrecision(6)) }),
      ],
      series: [
        {},
        { stroke: colour("envelope"), width: 1, points: { show: false } },
        { stroke: colour("signal"), width: 1.2, points: { show: false } },
      ],
      hooks: { drawClear: [(u) => this.behind(u)], draw: [(u) => this.over(u)] },
    }, this.data ?? [[], [], []], this.element);
  }

  resize() {
    this.plot.setSize({ width: Math.max(this.element.clientWidth, 80), height: Math.max(this.element.clientHeight, 80) });
  }

  show(view) {
    const { signal, envelope } = view;
    this.times ??= Float64Array.from(signal, (_, sample) => this.microseconds(sample));
    this.data = [this.times, envelope, signal]; // drawn by `redraw`, once where the mark lies is known
  }

  // The largest of what is shown; of a part without an echo, a thirtieth of the largest of all.
  reach() {
    const { view, axis } = this.shown();
    if (!view) return 1;
    const largest = (values) => values.reduce((most, value) => (value > most ? value : most), 0);
    const here = largest(view.envelope.subarray(Math.max(Math.ceil(axis.first), 0), Math.floor(axis.last) + 1));
    return Math.max(here, largest(view.envelope) / 30) || 1;
  }

  redraw(moved = false) { moved ? this.plot.setData(this.data, true) : this.plot.redraw(false); }

  retheme() { this.build(); }

  // In device pixels, as uPlot's canvas is.
  x(u, sample) { return u.valToPos(this.microseconds(sample), "x", true); }

  clipped(u, paint) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    paint(ctx, bbox, devicePixelRatio || 1);
    ctx.restore();
  }

  behind(u) {
    const { view, echo } = this.shown();
    if (!view) return;
    this.clipped(u, (ctx, box, ratio) => {
      this.facts.gates.forEach(([first, last], number) => {
        const [left, right] = [this.x(u, first), this.x(u, last)];
        ctx.fillStyle = colour("gate");
        ctx.fillRect(left, box.top, right - left, box.height);
        ctx.fillStyle = colour("gate-edge");
        ctx.fillRect(left, box.top, ratio, box.height);
        ctx.fillRect(right - ratio, box.top, ratio, box.height);
        ctx.fillStyle = colour(number === echo ? "ink" : "quiet");
        ctx.font = `${11 * ratio}px system-ui, sans-serif`;
        ctx.textAlign = "left";
        ctx.textBaseline = "alphabetic";
        ctx.fillText(this.facts.echoes[number], Math.max(left, box.left) + 5 * ratio, box.top + 13 * ratio);
      });
      const picks = view.about.picks;
      picks.onset.forEach((onset, number) => {
        const half = picks.half_width[number];
        const [left, right] = [this.x(u, onset - half), this.x(u, onset + half)];
        ctx.fillStyle = colour("interval");
        ctx.fillRect(left, box.top, Math.max(right - left, ratio), box.height);
      });
    });
  }

  over(u) {
    const { view, mark, echo } = this.shown();
    if (!view) return;
    this.clipped(u, (ctx, box, ratio) => {
      const bottom = box.top + box.height;
      const line = (sample, name, width, dash = []) => {
        const x = this.x(u, sample);
        ctx.strokeStyle = colour(name);
        ctx.lineWidth = width * ratio;
        ctx.setLineDash(dash.map((part) => part * ratio));
        ctx.beginPath();
        ctx.moveTo(x, box.top);
        ctx.lineTo(x, bottom);
        ctx.stroke();
        ctx.setLineDash([]);
        return x;
      };
      view.about.picks.onset.forEach((onset) => triangle(ctx, line(onset, "pick", 1), bottom, -6 * ratio, colour("pick")));
      view.about.echoes.forEach((about, number) => {
        if (about.aic !== null && number === echo) line(about.aic, "quiet", 1, [2, 3]);
        if (about.onset !== null && number !== echo) line(about.onset, about.mark === "sure" ? "sure" : "doubtful", 1.5);
      });
      if (mark !== null) triangle(ctx, line(mark, "mark", 1.5), box.top, 8 * ratio, colour("mark"));
    });
  }

  listen() {
    const over = this.plot.over.parentElement.parentElement; // survives a new plot
    const sampleAt = (event) => {
      const box = this.plot.over.getBoundingClientRect();
      return this.shown().axis.sample(event.clientX, box.left, box.right);
    };
    const nearMark = (event) => {
      const box = this.plot.over.getBoundingClientRect(), { axis, mark } = this.shown();
      return mark !== null && Math.abs(axis.place(mark, box.left, box.right) - event.clientX) < NEAR;
    };
    over.addEventListener("mousemove", (event) => { if (!event.buttons) over.classList.toggle("on-mark", nearMark(event)); });
    over.addEventListener("mousedown", (event) => {
      if (event.button) return;
      event.preventDefault();
      const onMark = nearMark(event), { axis } = this.shown(), first = axis.first;
      const width = this.plot.over.clientWidth, from = event.clientX;
      const move = (event) => {
        if (onMark) this.moved(sampleAt(event), "dragged");
        else { axis.set(first - (event.clientX - from) / width * axis.span, axis.span); this.panned(); }
      };
      const up = () => { removeEventListener("mousemove", move); removeEventListener("mouseup", up); };
      addEventListener("mousemove", move);
      addEventListener("mouseup", up);
    });
    over.addEventListener("dblclick", (event) => this.moved(sampleAt(event), "dragged"));
    over.addEventListener("wheel", (event) => {
      event.preventDefault();
      const factor = 1.2 ** Math.sign(event.deltaY || event.deltaX);
      if (event.shiftKey) this.gain = Math.min(Math.max(this.gain / factor, 0.5), 200);
      else this.shown().axis.zoom(factor, sampleAt(event));
      this.panned();
    }, { passive: false });
  }
}

function triangle(ctx, x, y, size, fill) {
  ctx.fillStyle = fill;
  ctx.beginPath();
  ctx.moveTo(x - Math.abs(size) * 0.7, y);
  ctx.lineTo(x + Math.abs(size) * 0.7, y);
  ctx.lineTo(x, y + size);
  ctx.fill();
}
