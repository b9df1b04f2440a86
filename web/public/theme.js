// Runs before the first paint, so that a dark room is not lit by a white page. It is a file of its own because the
// content security policy allows no inline scripts. The key is the one that Mantine keeps.
(function () {
  var scheme = null;
  try { scheme = localStorage.getItem('mantine-color-scheme-value'); } catch (_) { /* storage may be closed */ }
  if (scheme !== 'light' && scheme !== 'dark') {
    scheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  }
  document.documentElement.setAttribute('data-mantine-color-scheme', scheme);
})();
