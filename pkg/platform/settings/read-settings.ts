import { SallyportError } from '#pkg/model/errors'
import { clip, type Setting } from './kinds.ts'
import { nearest } from './nearest.ts'
import type { Env } from './process-env.ts'

/** A table of settings: the program's own name of each, and its row. */
export type SettingsSpec = Readonly<Record<string, Setting<unknown>>>

/** The values of a table. */
export type SettingsOf<S extends SettingsSpec> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never }

/** What one flag was given: its text, its texts, or `true` for a switch. Absent or undefined = not given. */
export type FlagValue = string | boolean | readonly string[] | undefined

/** Where values come from, strongest first. */
export type SettingsSources = {
  /** By long flag, with or without camel case: `admin-port` or `adminPort`. */
  readonly flags: Readonly<Record<string, FlagValue>>
  readonly env: Env
  /** Values of a file, by long flag; `name` is what faults call it. */
  readonly file?: { readonly name: string; readonly values: Readonly<Record<string, unknown>> }
}

/** One thing that is wrong. `where` is `--port`, `SALLYPORT_PORT` or `file.yaml: port`. */
export type SettingFault = {
  readonly code: 'UNKNOWN' | 'INVALID' | 'REPEATED'
  readonly where: string
  readonly message: string
}

/** All values, or all faults. */
export type SettingsReading<S extends SettingsSpec> =
  | { readonly ok: true; readonly values: SettingsOf<S> }
  | { readonly ok: false; readonly faults: readonly SettingFault[] }

/** How environment variables of ours begin; one that no row knows is a fault. */
const ENV_PREFIX = 'SALLYPORT_'
/** What Kubernetes puts into a container for a service that is called sallyport…: nobody typed it. */
const SERVICE_LINK = /_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/

/** Options of {@link readSettings}. */
export type ReadOptions = {
  /** Variables with our prefix that other parts read: neither values nor faults here. */
  readonly otherEnv?: readonly string[]
}

/** Flags before environment before file before default. Looks at everything before it gives up. */
export function readSettings<S extends SettingsSpec>(
  spec: S,
  sources: SettingsSources,
  options: ReadOptions = {},
): SettingsReading<S> {
  const flags = Object.fromEntries(Object.entries(sources.flags).map(([name, value]) => [kebab(name), value]))
  const faults = unknownNames(spec, { ...sources, flags }, options.otherEnv ?? [])
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(spec)) {
    let chosen: { readonly value: unknown } | null = null
    for (const given of givenFor(setting, { ...sources, flags })) {
      const read = readGiven(setting, given)
      if (!read.ok) faults.push(read.fault)
      else chosen ??= read
    }
    values[name] = chosen === null ? setting.fallback(sources.env) : chosen.value
  }
  if (faults.length > 0) return { ok: false, faults }
  return { ok: true, values: values as SettingsOf<S> } // each member came out of its own row
}

/** The faults as lines for a person. */
export function faultLines(faults: readonly SettingFault[]): readonly string[] {
  return faults.map((fault) => `${fault.where}: ${fault.message}`)
}

/** The faults as the error that ends a command with exit status 64. */
export function settingsError(faults: readonly SettingFault[]): SallyportError {
  return new SallyportError('SETTINGS_INVALID', faultLines(faults).join('\n'), { fields: { faults: faults.length } })
}

type Given = { readonly where: string; readonly texts: readonly string[] | null }

function givenFor(setting: Setting<unknown>, sources: SettingsSources): readonly Given[] {
  const given: Given[] = []
  const name = setting.flag
  if (name !== null) {
    const value = sources.flags[name]
    if (value !== undefined) given.push({ where: `--${name}`, texts: textsOf(value) })
  }
  const variable = setting.env === null ? undefined : sources.env[setting.env]
  if (setting.env !== null && variable !== undefined && variable !== '')
    given.push({
      where: setting.env,
      texts: setting.repeatable ? variable.split(/[\s,]+/).filter((part) => part !== '') : [variable],
    })
  const file = sources.file
  if (file !== undefined && name !== null && Object.hasOwn(file.values, name))
    given.push({ where: `${file.name}: ${name}`, texts: textsOf(file.values[name]) })
  return given
}

type Read = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly fault: SettingFault }

function readGiven(setting: Setting<unknown>, given: Given): Read {
  const fault = (code: SettingFault['code'], message: string): Read => ({
    ok: false,
    fault: { code, where: given.where, message },
  })
  if (given.texts === null) return fault('INVALID', 'must be a text, a number, a truth value or a list of texts')
  if (given.texts.length > 1 && !setting.repeatable) return fault('REPEATED', 'may be given only once')
  const parsed = setting.parse(given.texts)
  return parsed.ok ? parsed : fault('INVALID', parsed.message)
}

function textsOf(value: unknown): readonly string[] | null {
  if (Array.isArray(value)) {
    const texts = value.map(textOf)
    return texts.every((one) => one !== null) ? texts : null
  }
  const only = textOf(value)
  return only === null ? null : [only]
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null
}

function unknownNames(spec: SettingsSpec, sources: SettingsSources, otherEnv: readonly string[]): SettingFault[] {
  const rows = Object.values(spec)
  const flags = rows.flatMap((row) => row.flag ?? [])
  const variables = [...rows.flatMap((row) => row.env ?? []), ...otherEnv]
  const faults: SettingFault[] = []
  for (const [name, value] of Object.entries(sources.flags))
    if (value !== undefined && !flags.includes(name))
      faults.push(unknown(`--${clip(name)}`, nearest(name, flags), '--'))
  for (const name of Object.keys(sources.env))
    if (name.startsWith(ENV_PREFIX) && !variables.includes(name) && !SERVICE_LINK.test(name))
      faults.push(unknown(clip(name), nearest(name, variables), ''))
  for (const name of Object.keys(sources.file?.values ?? {}))
    if (!flags.includes(name)) faults.push(unknown(`${sources.file?.name}: ${clip(name)}`, nearest(name, flags), ''))
  return faults
}

function unknown(where: string, near: string | null, prefix: string): SettingFault {
  const hint = near === null ? '' : `; did you mean ${prefix}${near}?`
  return { code: 'UNKNOWN', where, message: `is not known${hint}` }
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
