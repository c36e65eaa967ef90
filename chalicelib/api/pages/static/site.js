// What every page does: buttons that copy, and / to search. Pages read without it.

document.documentElement.classList.add("js");

// <button class="copy" data-done="Copied">: copies the <pre> of its .code, or the element that `data-of` names.
async function copy(button) {
  const source = button.dataset.of ? document.getElementById(button.dataset.of) : button.closest(".code").querySelector("pre");
  const text = (source.value ?? source.textContent).trim();
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Over plain http browsers let no script copy: select it, so that one key does.
    getSelection().selectAllChildren(source);
    return;
  }
  button.dataset.label ??= button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = button.dataset.label; }, 1600);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.copy");
  if (button) copy(button);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.querySelector("input[type=search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
});
