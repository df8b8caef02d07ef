// The state of the view is the query of its address: a copied link shows the same, back and forward go through it.
export class Address {
  constructor(start) {
    this.start = start;
    this.listeners = [];
    addEventListener("popstate", () => this.listeners.forEach((listener) => listener(this.state)));
  }

  get state() { return { ...this.start, ...Object.fromEntries(new URLSearchParams(location.search)) }; }

  changed(listener) { this.listeners.push(listener); }

  // While one drags the same entry of the history is replaced; a pause makes a new one.
  set(state) {
    const query = new URLSearchParams(Object.entries(state).filter(([, value]) => value !== "" && value !== null && value !== undefined));
    const place = query.size ? `?${query}` : location.pathname;
    if (place === (location.search || location.pathname)) return;
    const now = performance.now();
    if (this.last !== undefined && now - this.last < 700) history.replaceState(null, "", place);
    else history.pushState(null, "", place);
    this.last = now;
  }
}
