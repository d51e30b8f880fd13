/**
 * Makes `dist/`, which is what the npm package holds: `sallyctl.mjs`, which Node ≥ 24.12 runs without `node_modules`, its
 * workers (checks, CA), the WASM of the SQL grammar, the page of the dashboard, and `launch.js`, which any Node runs.
 *
 *   node scripts/build.ts [FOLDER]
 */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { buildDashboard } from './build-dashboard.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const out = resolve(process.argv[2] ?? join(root, 'dist'))

/** What is named by URL stands beside the bundle. */
const MOVED = [
  ["'./checks-worker.ts'", "'./checks-worker.mjs'"],
  ["'./ca-worker.ts'", "'./ca-worker.mjs'"],
  ["'../../../out/dashboard/'", "'./dashboard/'"],
  ["'../../package.json'", "'./package.json'"],
] as const

const beside: Plugin = {
  name: 'beside',
  setup({ onLoad }) {
    onLoad({ filter: /(?:sidecar\/sidecar|server\/ca-pool|dashboard\/assets|sallyctl\/main)\.ts$/ }, ({ path }) => {
      let contents = readFileSync(path, 'utf8')
      for (const [from, to] of MOVED) contents = contents.replace(from, to)
      return { contents, loader: 'ts' }
    })
  },
}

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
const result = await build({
  absWorkingDir: root,
  entryPoints: {
    sallyctl: 'cmd/sallyctl/main.ts',
    'checks-worker': 'pkg/planes/sidecar/checks-worker.ts',
    'ca-worker': 'pkg/systems/identity/server/ca-worker.ts',
  },
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  chunkNames: '[name]-[hash]',
  platform: 'node',
  target: 'node24',
  format: 'esm',
  plugins: [beside],
  // libraries in CommonJS ask for `require` and `__dirname`, which an ES module has not
  banner: {
    js: [
      "import { createRequire as bundleRequire } from 'node:module'",
      "import { dirname as bundleDirname } from 'node:path'",
      "import { fileURLToPath as bundlePath } from 'node:url'",
      'const require = bundleRequire(import.meta.url)',
      'const __filename = bundlePath(import.meta.url)',
      'const __dirname = bundleDirname(__filename)',
    ].join(';'),
  },
  legalComments: 'linked',
  metafile: true,
  logLevel: 'warning',
})
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
writeFileSync(join(out, 'package.json'), `${JSON.stringify({ name, version, type: 'module' })}\n`)
copyFileSync(join(root, 'cmd/sallyctl/launch.js'), join(out, 'launch.js'))
chmodSync(join(out, 'launch.js'), 0o755)
const grammar = dirname(createRequire(import.meta.url).resolve('libpg-query'))
copyFileSync(join(grammar, 'libpg-query.wasm'), join(out, 'libpg-query.wasm'))
writeFileSync(join(out, 'inputs.txt'), `${Object.keys(result.metafile.inputs).sort().join('\n')}\n`)
await buildDashboard(join(out, 'dashboard'))
for (const [path, { bytes }] of Object.entries(result.metafile.outputs)) {
  if (path.endsWith('.mjs')) console.log(`${path}  ${Math.round(bytes / 1024)} KiB`)
}
