/** The page: the sandbox first, so that `window.sandbox` is there before the load event; then what shows it. */

import './app.css';
import { mount } from 'svelte';
import { openInWorker } from '../rpc/open.ts';
import App from './App.svelte';
import { missingFeatures } from './frame/browser-features.ts';
import UnsupportedBrowser from './frame/UnsupportedBrowser.svelte';
import { SandboxState } from './sandbox-state.svelte.ts';
import { readSiteSettings } from './site-settings.ts';
import { wasToldToTakeOver } from './take-over.ts';

const target = document.getElementById('app');
if (target === null) throw new Error('The page has no element #app.');

const missing = missingFeatures();
if (missing.length > 0) {
  mount(UnsupportedBrowser, { target, props: { missing } });
} else {
  const settings = readSiteSettings(document.baseURI, (...request) => fetch(...request));
  const { sandbox, ready } = openInWorker({ takeOver: wasToldToTakeOver() }, settings);
  window.sandbox = sandbox;
  mount(App, { target, props: { state: new SandboxState(sandbox, ready) } });
}
