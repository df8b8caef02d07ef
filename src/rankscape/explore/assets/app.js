// The entry: finds the room of this page and hands it what all rooms share.
import { Connection } from "./connection.js";
import { Address } from "./address.js";
import { explain } from "./what.js";

const root = document.getElementById("room");
if (root) {
  const { mount } = await import(`./rooms/${root.dataset.room}.js`);
  explain(root);
  const address = new Address(JSON.parse(root.dataset.start));
  mount({ root, address, connection: new Connection(root), find: (name) => root.querySelector(`[data-part=${name}]`) });
  root.dataset.ready = "yes";
}
