/**
 * Makes the page of the dashboard: `index.html`, one script, one style sheet, an icon. `inputs.txt` beside them tells what they
 * were made of.
 *
 *   node scripts/build-dashboard.ts [FOLDER]      default: out/dashboard
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const PAGE = 'pkg/faces/dashboard/browser'

/** uPlot's notice is not marked as one that stays. */
const NOTICE = '/*! uPlot: Copyright (c) 2025, Leon Sorokin, MIT License, https://github.com/leeoniya/uPlot */'

/** Makes the page in a folder, which is emptied once all is made. */
export async function buildDashboard(out: string): Promise<void> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: { app: `${PAGE}/main.ts`, style: `${PAGE}/app.css` },
    entryNames: 'app',
    outdir: out,
    bundle: true,
    minify: true,
    platform: 'browser',
    target: ['chrome120', 'firefox121', 'safari17'],
    format: 'esm',
    banner: { js: NOTICE, css: NOTICE },
    legalComments: 'inline',
    metafile: true,
    logLevel: 'warning',
    tsconfigRaw: {}, // types alone are there
    write: false,
  })
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  for (const { path, contents } of result.outputFiles) writeFileSync(path, contents)
  for (const name of ['index.html', 'icon.svg']) copyFileSync(join(root, PAGE, name), join(out, name))
  writeFileSync(join(out, 'inputs.txt'), `${Object.keys(result.metafile.inputs).sort().join('\n')}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await buildDashboard(resolve(process.argv[2] ?? join(root, 'out/dashboard')))
