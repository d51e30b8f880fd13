import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the build puts the page; beside the bundle in the npm package. */
const MADE = '../../../out/dashboard/'

const TYPES = {
  'index.html': 'text/html; charset=utf-8',
  'app.js': 'text/javascript; charset=utf-8',
  'app.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const

/** A file of the page. */
export type Asset = keyof typeof TYPES

/** One of them, whole. */
export type AssetFile = { readonly type: string; readonly bytes: Buffer }

/**
 * Only what the page's own files do is run. `lit-html` is the one policy by which templates of our own become markup: with
 * it no text can, since nothing else may make a policy.
 */
const CONTENT_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types lit-html',
].join('; ')

/** Headers of a file of the page: what it may load and run, and that nobody keeps, frames or reads it. */
export function assetHeaders(type: string): Readonly<Record<string, string>> {
  return {
    'content-type': type,
    'content-security-policy': CONTENT_POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    'cache-control': 'no-store',
  }
}

/** The files of the page in a folder. They are read when they are asked for, so that a page made anew is there at once. */
export function newAssets(dir: string = fileURLToPath(new URL(MADE, import.meta.url))): {
  /** null = the page is not made. */
  read(name: Asset): Promise<AssetFile | null>
} {
  return {
    read: async (name) => {
      try {
        return { type: TYPES[name], bytes: await readFile(join(dir, name)) }
      } catch (error) {
        if (isAbsent(error)) return null
        throw error
      }
    },
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
