// Keyboard in lists, and the skip link. One listener on the document, so that it holds whatever Blazor renders later.
(() => {
  const rows = () => [...document.querySelectorAll('[data-list] [data-row]')];
  const typing = target => target.closest('input, textarea, select, [contenteditable]');

  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    // A drawn button answers the space bar, which would also scroll.
    if (event.key === ' ' && event.target.closest('svg [role=button]')) event.preventDefault();
    // A page's own keys are those of its buttons.
    const button = [...document.querySelectorAll('[data-key]')].find(one => one.dataset.key === event.key || (one.dataset.keyInList === event.key && event.target.closest('[data-cases]')));
    if (button) {
      event.preventDefault();
      if (!event.repeat || button.dataset.keyInList) button.click();
      return;
    }
    const step = event.key === 'j' ? 1 : event.key === 'k' ? -1 : 0;
    if (step === 0) return;
    const all = rows();
    if (all.length === 0) return;
    const at = all.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step));
    all[next].focus();
    event.preventDefault();
  });

  // With <base href="/">, "#main" alone would leave the page.
  document.addEventListener('click', event => {
    if (!event.target.closest('a.skip')) return;
    event.preventDefault();
    document.getElementById('main')?.focus();
  });
})();
