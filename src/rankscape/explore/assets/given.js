// What a room is given: a data set by its name, or a file that is chosen or dropped.
export function names(connection, select, chosen) {
  connection.ask("complete", {}, ({ kind, facts }) => {
    if (kind !== "empty") return;
    select.append(...facts.names.map((name) => new Option(name, name)));
    select.value = facts.names.includes(chosen()) ? chosen() : "";
  }, "names");
}

// The number of a file once the server has it; null, with words, where it does not take it.
export async function send(file, complain) {
  const answer = await fetch(`/drop?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file }).catch(() => null);
  if (answer?.ok) return (await answer.json()).table;
  complain(answer ? await answer.text() : "The file could not be sent: is rankscape still running?");
  return null;
}

// Files may be dropped anywhere in the room; `area` shows where.
export function droppable(root, area, take) {
  for (const kind of ["dragover", "drop"]) {
    root.addEventListener(kind, (event) => { event.preventDefault(); area.classList.toggle("over", kind === "dragover"); });
  }
  root.addEventListener("dragleave", () => area.classList.remove("over"));
  root.addEventListener("drop", (event) => take(event.dataTransfer.files[0]));
}
