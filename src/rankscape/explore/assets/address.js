// The state of the view is the query of its address: a copied link shows the same, back and forward go through it.
export class Address {
  constructor(start) {
    this.start = start;
    this.listeners = [];
    this.place = this.shown;
    addEventListener("popstate", () => {
      this.timer = clearTimeout(this.timer);
      this.place = this.shown;
      this.listeners.forEach((listener) => listener(this.state));
    });
    for (const end of ["pointerup", "change", "pagehide"]) addEventListener(end, () => this.write());
  }

  get state() { return { ...this.start, ...Object.fromEntries(new URLSearchParams(location.search)) }; }

  // The place that the browser shows; `place` is where the view is.
  get shown() { return location.search || location.pathname; }

  changed(listener) { this.listeners.push(listener); }

  // A pause makes a new entry of the history; while one drags the same entry is replaced, a few times a second and at
  // the end: browsers take a hundred addresses in ten seconds, and ignore or refuse the rest.
  set(state) {
    const query = new URLSearchParams(Object.entries(state).filter(([, value]) => value !== "" && value !== null && value !== undefined));
    const place = query.size ? `?${query}` : location.pathname;
    if (place === this.place) return;
    const now = performance.now(), dragging = this.last !== undefined && now - this.last < 700;
    Object.assign(this, { place, last: now });
    if (dragging) this.timer ??= setTimeout(() => this.write(), 150);
    else history.pushState(null, "", place);
  }

  // What the view becomes by itself is no new place to go back to.
  follow(state) {
    const query = new URLSearchParams(Object.entries(state).filter(([, value]) => value !== ""));
    this.place = query.size ? `?${query}` : location.pathname;
    this.timer ??= setTimeout(() => this.write(), 1000);
  }

  write() {
    this.timer = clearTimeout(this.timer);
    if (this.place !== this.shown) history.replaceState(null, "", this.place);
  }
}
