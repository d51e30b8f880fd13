/**
 * dashboard: a page for people who watch and stop agents, in their browser.
 *
 * In:  the name of one of its files; in the browser the answers and the events of the admin API.
 * Out: the made files, and the headers under which a browser may run them. `browser/` is the page itself: a script that
 *      `scripts/build-dashboard.ts` bundles; it takes nothing from other rooms but types.
 * The page holds no data and no right of its own: it asks the admin API with the token of a session, as `sallyctl` does.
 *
 * Never: a cookie, a script or style of anywhere else, a text of an agent as markup.
 */
export { type Asset, type AssetFile, assetHeaders, newAssets } from './assets.ts'
