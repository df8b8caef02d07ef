// One socket for the page: questions by slot, answers as frames with float32 arrays.
export class Connection {
  constructor(root) {
    this.root = root;
    this.number = 0;
    this.slots = new Map();
    this.waiting = [];
    this.open();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/socket`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.said("");
      this.waiting.splice(0).forEach((text) => this.socket.send(text));
    };
    this.socket.onmessage = (event) => this.hear(event.data);
    this.socket.onclose = () => {
      this.said("The connection to rankscape is lost: is it still running? Trying again.");
      setTimeout(() => this.again(), 1000);
    };
  }

  // What was asked last is asked again: the answer may have been lost.
  again() {
    this.open();
    this.waiting = [...this.slots.values()].filter((slot) => !slot.done).map((slot) => slot.text);
  }

  said(words) {
    let place = document.getElementById("lost");
    if (!place) {
      place = Object.assign(document.createElement("p"), { id: "lost", className: "error" });
      place.setAttribute("role", "status");
      this.root.before(place);
    }
    place.textContent = words;
  }

  send(text) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
    else this.waiting.push(text);
  }

  // Ask: only the newest question of a slot is answered. While somebody drags (`follow`), what was asked a moment
  // before is shown until the newer answer is there.
  ask(room, state, heard, slot = "main", follow = false) {
    const ask = ++this.number;
    const text = JSON.stringify({ ask, slot, room, state });
    const least = follow ? this.slots.get(slot)?.least ?? ask : ask;
    this.slots.set(slot, { ask, least, heard, text, done: false });
    if (slot === "main") this.root.dataset.asked = ask;
    this.send(text);
    return ask;
  }

  // What is asked again where the connection was lost meanwhile.
  recall(room, state, slot = "main") {
    const kept = this.slots.get(slot);
    if (kept) kept.text = JSON.stringify({ ask: kept.ask, slot, room, state });
  }

  tell(message, slot = "main") { this.send(JSON.stringify({ tell: slot, ...message })); }

  stop(slot = "main") { this.send(JSON.stringify({ stop: slot })); }

  hear(data) {
    const length = new DataView(data).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    const slot = this.slots.get(head.slot);
    if (!slot || head.ask < slot.least) return;
    slot.least = head.ask;
    let at = 4 + length;
    const arrays = {};
    for (const [name, shape] of Object.entries(head.arrays)) {
      const count = shape.reduce((a, b) => a * b, 1);
      const flat = new Float32Array(data, at, count);
      at += 4 * count;
      arrays[name] = shape.length < 2 ? flat : Array.from({ length: shape[0] }, (_, k) => flat.subarray(k * shape[1], (k + 1) * shape[1]));
    }
    if (head.kind === "end" && head.ask === slot.ask) slot.done = true;
    slot.heard({ ask: head.ask, kind: head.kind, facts: head.facts, arrays });
    this.root.dataset.heard = head.ask;
  }
}
