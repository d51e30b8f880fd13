import { readHost, readPolicyHost } from '#pkg/platform/address'
import { Secret } from '#pkg/platform/log'
import type { Env } from './process-env.ts'

/** A value, or what is wrong with the text. The message never holds a secret. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string }

/** One row of a table of settings. Made by the functions of this file. */
export type Setting<T> = {
  /** Long flag without its dashes; null = not on the command line. */
  readonly flag: string | null
  /** Name of the environment variable; null = none. */
  readonly env: string | null
  /** For `--help` and the reference: one sentence. */
  readonly doc: string
  /** What stands for the value in `--help`; null = a switch without a value. */
  readonly placeholder: string | null
  readonly repeatable: boolean
  readonly secret: boolean
  readonly fallback: (env: Env) => T
  /** How the default is written in `--help`; null = none is shown. */
  readonly shownDefault: string | null
  /** Reads all texts that one source gave, in order; more than one only if repeatable. */
  readonly parse: (texts: readonly string[]) => Parsed<T>
}

/** What every row says of itself. */
export type Naming = { readonly flag?: string; readonly env?: string; readonly doc: string }

type Row<T> = Naming & { readonly default: T | ((env: Env) => T) }

const good = <T>(value: T): Parsed<T> => ({ ok: true, value })
const bad = (message: string): { readonly ok: false; readonly message: string } => ({ ok: false, message })

function single<T>(row: Row<T>, placeholder: string | null, read: (text: string) => Parsed<T>): Setting<T> {
  const fallback = row.default
  return {
    flag: row.flag ?? null,
    env: row.env ?? null,
    doc: row.doc,
    placeholder,
    repeatable: false,
    secret: false,
    // A setting's value is never a function, so a function is the way to make one.
    fallback: typeof fallback === 'function' ? (fallback as (env: Env) => T) : () => fallback,
    shownDefault: typeof fallback === 'function' || fallback === null ? null : String(fallback),
    parse: ([text = '']) => read(text),
  }
}

/** Any text but the empty one. */
export function text<T extends string | null>(row: Row<T | string>, placeholder = 'TEXT'): Setting<T | string> {
  return single(row, placeholder, (given) => (given === '' ? bad('must not be empty') : good(given)))
}

/** One of a closed set of words. */
export function choice<T extends string>(row: Row<T>, words: readonly T[]): Setting<T> {
  return single(row, words.join('|'), (given) => {
    const word = words.find((candidate) => candidate === given)
    return word === undefined ? bad(`"${clip(given)}" is not one of: ${words.join(', ')}`) : good(word)
  })
}

/** A switch: present, or `true`, `false`, `1`, `0`, `yes`, `no`. */
export function flag(row: Row<boolean>): Setting<boolean> {
  return single(row, null, (given) => {
    if (/^(true|1|yes)$/i.test(given)) return good(true)
    if (/^(false|0|no)$/i.test(given)) return good(false)
    return bad(`"${clip(given)}" is not one of: true, false`)
  })
}

/** A TCP port, 0 … 65535; 0 = a free one. */
export function port(row: Row<number>): Setting<number> {
  return single(row, 'PORT', (given) => {
    const value = /^\d{1,5}$/.test(given) ? Number(given) : Number.NaN
    return value <= 65_535 ? good(value) : bad(`"${clip(given)}" is not a port: a whole number from 0 to 65535`)
  })
}

/** Whole milliseconds, at least 1: `50ms`, `10s`, `5m`, `1h`, or a number of milliseconds. */
export function duration(row: Row<number>): Setting<number> {
  return single(row, 'DURATION', readDuration)
}

/** Whole bytes, at least 1: `262144`, `256KiB`, `8MiB`, `1GiB`. */
export function bytes(row: Row<number>): Setting<number> {
  return single(row, 'BYTES', readBytes)
}

/** An `http` or `https` URL without user, query and fragment. */
export function url<T extends string | null>(row: Row<T | string>): Setting<T | string> {
  return single(row, 'URL', readUrl)
}

/** A secret; only from the environment. Null unless it is set and not empty. */
export function secret(row: { readonly env: string; readonly doc: string }): Setting<Secret | null> {
  return {
    ...single<Secret | null>({ ...row, default: null }, 'SECRET', (given) =>
      /^[!-~]+$/.test(given)
        ? good(new Secret(given))
        : bad('holds a space, a line break or a character outside ASCII, so it cannot be sent as a header'),
    ),
    secret: true,
  }
}

/** `NAME=URL`, repeatable; laid over the default name by name. `names` closes the set. */
export function namedUrls(
  row: Row<Readonly<Record<string, string>>>,
  names: readonly string[] | null = null,
): Setting<Readonly<Record<string, string>>> {
  return named(row, 'NAME=URL', (name, given) => {
    if (names !== null && !names.includes(name)) return bad(`"${clip(name)}" is not one of: ${names.join(', ')}`)
    return readUrl(given)
  })
}

/** `NAME=URL`, repeatable; any name, and the URL as it is. */
export function exactUrls(row: Row<Readonly<Record<string, string>>>): Setting<Readonly<Record<string, string>>> {
  return named(row, 'NAME=URL', (name, given) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) return bad('is no name of a server')
    const read = readUrl(given)
    return read.ok ? good(given) : read
  })
}

/** What stands behind `spiffe://`. SPIFFE-ID §2.1. */
export function trustDomain(row: Row<string>): Setting<string> {
  return single<string>(row, 'DOMAIN', (given) =>
    /^[a-z0-9._-]{1,255}$/.test(given)
      ? good(given)
      : bad('is no trust domain: 1 to 255 of a-z, 0-9, ".", "_" and "-"'),
  )
}

/** `NAMESPACE/NAME=URL`, repeatable; the URL as it is. */
export function agentUrls(row: Row<Readonly<Record<string, string>>>): Setting<Readonly<Record<string, string>>> {
  return named(row, 'NAMESPACE/NAME=URL', (name, given) => {
    if (!new RegExp(`^${AGENT}$`).test(name)) return bad('is no NAMESPACE/NAME of an agent')
    const read = readUrl(given)
    return read.ok ? good(given) : read
  })
}

const AGENT = '[a-z0-9][a-z0-9-]{0,62}/[a-z0-9][a-z0-9.-]{0,252}'
const AGENT_PATH = new RegExp(`^(?:(${AGENT})=)?(.+)$`)

/** What stands before an `=` and begins as a path does is one: `./a=b.sock`. Anything else was meant as an agent. */
const ODD_AGENT = /^([^./=][^=]*)=/

/** `NAMESPACE/NAME=PATH`, repeatable, or a `PATH` alone, which is kept under the empty name. */
export function agentPaths(row: Row<Readonly<Record<string, string>>>): Setting<Readonly<Record<string, string>>> {
  const placeholder = '[NAMESPACE/NAME=]PATH'
  return {
    ...single<Readonly<Record<string, string>>>(row, placeholder, () => bad('not one value')),
    repeatable: true,
    shownDefault: null,
    parse: (texts) => {
      const found = new Map<string, string>()
      for (const given of texts) {
        const [, agent = '', path] = AGENT_PATH.exec(given) ?? []
        if (path === undefined) return bad(`"${clip(given)}" is not ${placeholder}`)
        const odd = agent === '' ? ODD_AGENT.exec(path)?.[1] : undefined
        if (odd !== undefined)
          return bad(`"${clip(odd)}" is no NAMESPACE/NAME of an agent; a path with "=" begins with / or ./`)
        if (found.has(agent)) return bad(`"${clip(agent === '' ? given : agent)}": a path for it is given already`)
        found.set(agent, path)
      }
      return good(Object.fromEntries(found))
    },
  }
}

/** `HOST=ADDRESS`, or several addresses with commas; repeatable. Hosts and addresses in their canonical spelling. */
export function hostAddresses(
  row: Row<Readonly<Record<string, readonly string[]>>>,
): Setting<Readonly<Record<string, readonly string[]>>> {
  const read = (name: string, given: string): Parsed<readonly string[]> => {
    const host = readHost(name)
    if (!host.ok || host.host.kind !== 'name' || host.host.text !== name) return bad('is no host name in lower case')
    const addresses = given.split(',').map((address) => readPolicyHost(address))
    const literals = addresses.flatMap((read) => (read.ok && read.host.kind !== 'name' ? [read.host.text] : []))
    return literals.length === addresses.length
      ? good(literals)
      : bad(`"${clip(given)}" is not one or more IP addresses`)
  }
  return named(row, 'HOST=ADDRESS', read)
}

/** `name=value`, repeatable, laid over the default name by name. `read` judges one pair. */
export function named<V, T extends Readonly<Record<string, V>>>(
  row: Row<T>,
  placeholder: string,
  read: (name: string, text: string) => Parsed<V>,
): Setting<T> {
  const base = single<T>(row, placeholder, () => bad('not one value'))
  return {
    ...base,
    repeatable: true,
    shownDefault: null,
    parse: (texts) => {
      const found = new Map<string, V>()
      for (const given of texts) {
        const cut = given.indexOf('=')
        if (cut < 1) return bad(`"${clip(withoutUser(given))}" is not ${placeholder}`)
        const name = given.slice(0, cut)
        if (found.has(name)) return bad(`"${clip(name)}" is given twice`)
        const value = read(name, given.slice(cut + 1))
        if (!value.ok) return bad(`${clip(name)}: ${value.message}`)
        found.set(name, value.value)
      }
      // Laying pairs of V over a T keeps it a T: `read` refuses names that T does not have.
      return good({ ...(typeof row.default === 'function' ? {} : row.default), ...Object.fromEntries(found) } as T)
    },
  }
}

/** `50ms`, `10s`, `5m`, `1h`, or milliseconds as a bare number. */
export function readDuration(given: string): Parsed<number> {
  const parts = /^(\d{1,12})(ms|s|m|h)?$/.exec(given)
  const factor = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[parts?.[2] ?? 'ms'] ?? 1
  const value = Number(parts?.[1] ?? Number.NaN) * factor
  return Number.isSafeInteger(value) && value >= 1
    ? good(value)
    : bad(`"${clip(given)}" is not a duration: a whole number of at least 1 and ms, s, m or h, such as 50ms`)
}

/** `262144`, `256KiB`, `8MiB`, `1GiB`. */
export function readBytes(given: string): Parsed<number> {
  const parts = /^(\d{1,15})(KiB|MiB|GiB)?$/.exec(given)
  const factor = { KiB: 1_024, MiB: 1_024 ** 2, GiB: 1_024 ** 3 }[parts?.[2] ?? ''] ?? 1
  const value = Number(parts?.[1] ?? Number.NaN) * factor
  return Number.isSafeInteger(value) && value >= 1
    ? good(value)
    : bad(`"${clip(given)}" is not a size: a whole number of at least 1, perhaps with KiB, MiB or GiB, such as 256KiB`)
}

/** A whole number of at least 1. */
export function readCount(given: string): Parsed<number> {
  const value = /^\d{1,15}$/.test(given) ? Number(given) : 0
  return value >= 1 ? good(value) : bad(`"${clip(given)}" is not a whole number of at least 1`)
}

function readUrl(given: string): Parsed<string> {
  if (!URL.canParse(given) || !/^https?:\/\//i.test(given))
    return bad(`"${clip(withoutUser(given))}" is not a URL such as https://host/v1`)
  const parsed = new URL(given)
  if (parsed.username !== '' || parsed.password !== '') return bad('the URL must not hold a user or a password')
  if (given.includes('?') || given.includes('#')) return bad('the URL must not hold a query or a fragment')
  return good(given.replace(/\/+$/, ''))
}

function withoutUser(given: string): string {
  return given.includes('@') ? `***${given.slice(given.lastIndexOf('@'))}` : given
}

/** What a person typed, short enough for a line and without controls. */
export function clip(given: string): string {
  const shown = given.replace(/\p{C}/gu, '\u{fffd}')
  return shown.length > 64 ? `${shown.slice(0, 63)}…` : shown
}
