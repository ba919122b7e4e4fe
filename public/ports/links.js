// In the frame that shows a port's page: links do not lead anywhere by themselves, they are told to the page around.
// The frame has an origin of its own that nobody shares, and this is the one script that its policy lets run.
addEventListener(
  'click',
  (event) => {
    const link = event.target instanceof Element ? event.target.closest('[data-layerbox-href]') : null;
    if (link === null) return;
    event.preventDefault();
    parent.postMessage({ type: 'layerbox-link', href: link.getAttribute('data-layerbox-href') }, '*');
  },
  true,
);
