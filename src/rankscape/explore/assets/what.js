// Definitions: a button beside a label shows the words, with their formulas, that stand behind it in the page.
export function explain(root) {
  for (const words of root.querySelectorAll(".what")) {
    const label = words.previousElementSibling, field = document.getElementById(label.htmlFor);
    const button = Object.assign(document.createElement("button"), { type: "button", className: "ask", textContent: "?" });
    words.id = `what-${label.htmlFor}`;
    button.setAttribute("aria-label", `What is “${label.textContent}”?`);
    for (const told of [button, field]) told.setAttribute("aria-describedby", words.id);
    label.classList.add("named");
    label.after(button);
    for (const event of ["pointerenter", "focus"]) button.addEventListener(event, () => words.classList.remove("closed"));
  }
  addEventListener("keydown", ({ key }) => {
    if (key === "Escape") root.querySelectorAll(".what").forEach((words) => words.classList.add("closed"));
  });
}
