// Shows each [data-copy] button and lets it copy the text of the field that it names.
async function copy(field) {
  field.select();
  if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
  else if (!document.execCommand("copy")) throw new Error("refused");
}

export function startCopying(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) {
    const field = root.getElementById(button.dataset.copy);
    const said = button.parentElement.querySelector("[data-copied]");
    button.hidden = false;
    button.addEventListener("click", () => {
      copy(field).then(
        () => { said.textContent = "Copied."; },
        () => { said.textContent = "Not copied: the text is selected, copy it with the keyboard."; },
      );
    });
  }
}
