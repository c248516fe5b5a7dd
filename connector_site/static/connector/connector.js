// Pages work without this. It copies numbers and puts the cursor into the search.
if (navigator.clipboard) document.documentElement.classList.add("has-js");

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button || !navigator.clipboard) return;
  navigator.clipboard.writeText(button.dataset.copy).then(() => {
    button.classList.add("is-copied");
    setTimeout(() => button.classList.remove("is-copied"), 1600);
  });
});

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, select, textarea, [contenteditable]");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const find = document.getElementById("find-log") || document.getElementById("find");
  if (find) {
    event.preventDefault();
    find.focus();
  }
});
