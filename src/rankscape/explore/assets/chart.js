// Curves by uPlot, in the colours of the page, with bands, lines, and a cursor that others can follow.
// Of many curves: from dark to light, each end as far as it stands out from the paper.
const MANY = { light: [[68, 1, 84], [59, 82, 139], [33, 125, 140], [50, 130, 70], [140, 120, 0]],
  dark: [[190, 120, 215], [120, 150, 225], [60, 180, 175], [94, 201, 98], [240, 220, 60]] };
const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [220, 200, 40]];
const FEW = { light: ["#1d4e89", "#b33c0a", "#2a7a52", "#6b46c1"], dark: ["#7db0ea", "#f0894f", "#6cc79a", "#b79cf2"] };
const dark = matchMedia("(prefers-color-scheme: dark)");

export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const theme = () => dark.matches ? "dark" : "light";

export const colorOf = (k, count) => count <= 4 ? FEW[theme()][k] : along(MANY[theme()], 1 - k / (count - 1));

// Of a cell, for a share between 0 and 1: the same in both themes, for its number is written on it.
export const shade = (share) => along(VIRIDIS, share);

function along(colors, share) {
  const place = share * (colors.length - 1);
  const low = Math.min(Math.floor(place), colors.length - 2);
  return `rgb(${colors[low].map((c, j) => Math.round(c + (place - low) * (colors[low + 1][j] - c)))})`;
}

export class Chart {
  // options: name, height (px), x and y (axis labels), cursor(index or null), least (lowest y), named (bands, on top)
  constructor(element, options) {
    this.element = element;
    this.options = options;
    this.bands = [];
    this.marks = [];
    this.levels = [];
    this.reachable();
    new ResizeObserver(() => this.plot && this.plot.setSize(this.size)).observe(element);
    dark.addEventListener("change", () => { this.shape = null; if (this.last) this.draw(...this.last); });
  }

  get size() { return { width: this.element.clientWidth, height: this.options.height }; }

  // curves: [{values, color, dash, width, stepped}]
  draw(x, curves, log = false) {
    this.last = [x, curves, log];
    const shape = `${log} ${curves.map((c) => `${c.color}${c.dash ?? ""}${c.width ?? ""}`).join()}`;
    const data = [x, ...curves.map((curve) => curve.values)];
    if (this.plot && this.shape === shape) this.plot.setData(data);
    else this.make(data, curves, log, shape);
  }

  make(data, curves, log, shape) {
    this.plot?.destroy();
    this.shape = shape;
    const axis = (label, size) => ({ label, labelSize: 20, size, stroke: css("--muted"), grid: { stroke: css("--grid"), width: 1 },
      ticks: { stroke: css("--rule"), width: 1, size: 5 }, font: "12px system-ui", labelFont: "12px system-ui" });
    const big = (u, values) => values.map((v) => v === null ? "" : short(v));
    this.plot = new uPlot({
      ...this.size,
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: curves.length <= 4, size: 7 }, y: false },
      scales: { x: { time: false, distr: log ? 3 : 1 }, y: { range: (u, low, high) => this.range(low, high) } },
      axes: [{ ...axis(this.options.x, 32), values: big }, { ...axis(this.options.y, 48), values: big }],
      series: [{}, ...curves.map((curve) => ({ stroke: curve.color, width: curve.width ?? 1.8, dash: curve.dash, points: { show: false },
        paths: curve.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined }))],
      hooks: { drawClear: [(u) => this.drawBands(u)], draw: [(u) => this.drawMarks(u)],
        setCursor: [(u) => this.options.cursor?.(u.cursor.idx ?? null)] },
    }, data, this.element);
  }

  // By keyboard the cursor goes from point to point.
  reachable() {
    const { element } = this;
    element.tabIndex = 0;
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", `${this.options.name}: arrow keys read it point by point`);
    element.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[event.key];
      if (!way || event.target !== element || !this.plot) return;
      event.preventDefault();
      const x = this.plot.data[0], last = x.length - 1;
      const k = Math.min(Math.max((this.plot.cursor.idx ?? (way > 0 ? -1 : last + 1)) + way, 0), last);
      this.plot.setCursor({ left: this.plot.valToPos(x[k], "x"), top: this.options.height / 3 });
    });
  }

  range(low, high) {
    if (this.held) return this.held;
    for (const level of this.levels) { low = Math.min(low, level.value); high = Math.max(high, level.value); }
    if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
    low = Math.min(low, this.options.least ?? low);
    const room = (high - low || Math.abs(high) || 1) * 0.05;
    // Names of bands stand above the curves.
    return [low === this.options.least ? low : low - room, high + (this.options.named && this.bands.length ? 3 : 1) * room];
  }

  // The range stays while somebody drags a point in the picture.
  hold(yes) { this.held = yes ? [this.plot.scales.y.min, this.plot.scales.y.max] : null; }

  drawBands(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.font = `${12 * devicePixelRatio}px system-ui`;
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    for (const band of this.bands) {
      const at = (value) => Math.min(Math.max(u.valToPos(value, "x", true), bbox.left), bbox.left + bbox.width);
      const left = at(band.start), right = band.end === null ? bbox.left + bbox.width : at(band.end);
      if (right <= left) continue;
      ctx.fillStyle = css("--band");
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.fillStyle = css("--muted");
      if (right - left > ctx.measureText(band.words).width + 6) ctx.fillText(band.words, left + 4 * devicePixelRatio,
        this.options.named ? bbox.top + 14 * devicePixelRatio : bbox.top + bbox.height - 5 * devicePixelRatio);
    }
    ctx.restore();
  }

  drawMarks(u) {
    const { ctx, bbox } = u;
    ctx.save();
    for (const level of this.levels) {
      const y = u.valToPos(level.value, "y", true);
      line(ctx, level.color ?? css("--muted"), [2, 4], bbox.left, y, bbox.left + bbox.width, y);
    }
    for (const mark of this.marks) {
      const x = u.valToPos(mark.at, "x", true);
      if (x >= bbox.left && x <= bbox.left + bbox.width) line(ctx, css("--orange"), [6, 3], x, bbox.top, x, bbox.top + bbox.height);
    }
    ctx.restore();
    this.options.drawn?.();
  }

  again() {
    if (this.options.named && this.last && !this.held) this.plot?.setData(this.plot.data);
    else this.plot?.redraw(true, true);
  }
}

const short = (v) => Math.abs(v) >= 1e6 ? `${+(v / 1e6).toPrecision(4)}M` : Math.abs(v) >= 1e4 ? `${+(v / 1e3).toPrecision(4)}k` : String(+v.toPrecision(4));

function line(ctx, color, dash, x0, y0, x1, y1) {
  ctx.strokeStyle = color;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash(dash.map((d) => d * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}
