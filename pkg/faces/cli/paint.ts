import { styleText } from 'node:util'
import type { CliDeps, Globals } from './ports.ts'

const STYLES: Readonly<Record<string, 'red' | 'yellow' | 'green'>> = {
  Deny: 'red',
  Abort: 'red',
  Sever: 'red',
  Quarantined: 'red',
  Suspended: 'red',
  Terminated: 'red',
  Record: 'yellow',
  Redact: 'yellow',
  Hold: 'yellow',
  Provisioned: 'yellow',
  Active: 'green',
  Allow: 'green',
}

/** Colours a padded cell by its word, where colours are shown. */
export function paint(deps: CliDeps, globals: Globals): (cell: string) => string {
  if (!deps.hasColors || !globals.color) return (cell) => cell
  return (cell) => {
    const style = STYLES[cell.trim()]
    return style === undefined ? cell : styleText(style, cell, { validateStream: false })
  }
}
