/** Taking the sandbox over from another tab: the page is loaded again, and told so by its own entry of the history. */

const STATE = 'layerbox take over';

/** Loads the page again; it then takes the sandbox over. */
export function takeOver(): void {
  history.replaceState(STATE, '');
  location.reload();
}

/** True once after `takeOver`: a later reload asks nobody to let go. */
export function wasToldToTakeOver(): boolean {
  const isTold = history.state === STATE;
  if (isTold) history.replaceState(null, '');
  return isTold;
}
