// Pages work without this. It copies numbers, puts the cursor into the search, and lets a page follow
// what happens without taking anything out of a person's hands.
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

// --- following ---

document.addEventListener("click", (event) => {
  const fold = event.target.closest("summary")?.parentElement;
  if (fold) fold.dataset.touched = "";
});

const isChanged = (field) => {
  if (field.type === "hidden") return false;
  if (field.type === "checkbox" || field.type === "radio")
    return field.checked !== field.defaultChecked;
  if (field.type === "file") return field.files.length > 0;
  if (field.tagName === "SELECT")
    return field.selectedIndex
      !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
  return field.value !== field.defaultValue;
};

// Somebody is writing, choosing or reading a fold that they opened: nothing is replaced under them.
const isInUse = (part) =>
  part.contains(document.activeElement?.closest("input, select, textarea"))
  || part.querySelector("details[data-touched][open]")
  || [...part.querySelectorAll("input, select, textarea")].some(isChanged);

document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.target;
  if (part.id === "pulse" && document.hidden) event.preventDefault();
  if (!("follow" in part.dataset) || !isInUse(part)) return;
  event.preventDefault();
  document.getElementById("stale").hidden = false;
});

// The panel of the mapping is read anew at each choice. An answer to an earlier one never takes back
// what was chosen or written since; the next change asks again.
const written = (form) => new URLSearchParams(new FormData(form)).toString();
let askedWith = "";

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target.id === "edit") askedWith = written(event.target.closest("form"));
});

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "edit") return;
  const form = event.detail.target.querySelector("form");
  if (form && written(form) !== askedWith) event.detail.shouldSwap = false;
});

let before = null; // What the part showed: when each row had changed, and where the focus was.

document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.target;
  if (!("follow" in part.dataset)) return;
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  before = {
    rows: new Map([...part.querySelectorAll("[data-at]")].map((row) => [row.id, row.dataset.at])),
    href: focused?.getAttribute("href"),
  };
});

document.addEventListener("htmx:afterSettle", (event) => {
  const part = document.getElementById("follow");
  if (!before || event.detail.elt !== part) return;
  const news = [...part.querySelectorAll("[data-at]")].filter(
    (row) => before.rows.get(row.id) !== row.dataset.at,
  );
  news.forEach((row) => row.classList.add("is-new"));
  const said = document.getElementById("said");
  if (news.length) said.textContent = `${news.length} row${news.length === 1 ? "" : "s"} changed.`;
  const link = before.href && part.querySelector(`a[href="${CSS.escape(before.href)}"]`);
  if (link) link.focus({ preventScroll: true });
  before = null;
});
