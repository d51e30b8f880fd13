import { printable } from './escape.ts'

/** One column: its heading, and what it shows of a row. A column with a `width` does not need all rows to be known. */
export type Column<R> = {
  readonly head: string
  readonly of: (row: R) => string
  readonly width?: number
  readonly right?: boolean
  /** A cell that is wider than `width` ends in `…`; else it pushes the rest. */
  readonly clip?: boolean
  /** Dresses the padded cell; adds nothing that takes room. */
  readonly paint?: (cell: string) => string
}

/** All rows, each column as wide as its widest cell. */
export function tableText<R>(columns: readonly Column<R>[], rows: readonly R[]): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.of(row))))
  const widths = columns.map((column, at) =>
    cells.reduce((width, row) => Math.max(width, lengthOf(row[at] ?? '')), column.head.length),
  )
  const heads = columns.map((column) => column.head)
  return [heads, ...cells].map((row) => lineText(columns, widths, row)).join('')
}

/** Line by line for rows that keep coming. */
export function rowText<R>(columns: readonly Column<R>[], row: R | null): string {
  const widths = columns.map((column) => column.width ?? column.head.length)
  const cells = columns.map((column, at) => {
    if (row === null) return column.head
    const cell = printable(column.of(row))
    return column.clip === true ? clipped(cell, widths[at] ?? 0) : cell
  })
  return lineText(columns, widths, cells)
}

function lineText<R>(columns: readonly Column<R>[], widths: readonly number[], cells: readonly string[]): string {
  const padded = columns.map((column, at) => {
    const cell = cells[at] ?? ''
    const space = ' '.repeat(Math.max(0, (widths[at] ?? 0) - lengthOf(cell)))
    const whole = column.right === true ? space + cell : cell + space
    return column.paint === undefined ? whole : column.paint(whole)
  })
  return `${padded.join('  ').trimEnd()}\n`
}

/** The text, or its beginning and `…` where it is longer than that many characters. */
export function clipped(text: string, width: number): string {
  return lengthOf(text) <= width ? text : `${[...text].slice(0, width - 1).join('')}…`
}

function lengthOf(text: string): number {
  return [...text].length
}
