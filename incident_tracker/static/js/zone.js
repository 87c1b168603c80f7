// Proposes the browser's own time zone where a form asks for one and nobody has chosen yet.
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const select of document.querySelectorAll("select[data-propose-zone]")) {
  if ([...select.options].some((option) => option.value === own)) select.value = own;
}
