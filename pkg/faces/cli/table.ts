import { printable } from './escape.ts'

/** One column: its heading, and what it shows of a row. A column with a `width` does not need all rows to be known. */
export type Column<R> = {
  readonly head: string
  readonly of: (row: R) => string
  readonly width?: number
  readonly right?: boolean
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

/** Line by line for rows that keep coming; a cell that is wider than its column pushes the rest. */
export function rowText<R>(columns: readonly Column<R>[], row: R | null): string {
  const widths = columns.map((column) => column.width ?? column.head.length)
  const cells = columns.map((column) => (row === null ? column.head : printable(column.of(row))))
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

function lengthOf(text: string): number {
  return [...text].length
}
