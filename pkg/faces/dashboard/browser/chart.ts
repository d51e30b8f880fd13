import { ref } from 'lit/directives/ref.js'
import { html, type TemplateResult } from 'lit/html.js'
import uPlot from 'uplot'
import { OUTCOMES, type Series } from './buckets.ts'

/** What is drawn: the start of each slice in seconds since 1970, and its counts. */
export type ChartData = { readonly starts: readonly number[]; readonly series: Series }

const HEIGHT = 180
/** Room for the first and the last bar. */
const HALF_SLICE_S = 5

/** The most severe at the bottom, where small counts are seen best. */
const FROM_BELOW = [...OUTCOMES].reverse()

type Drawn = { readonly plot: uPlot; readonly stop: () => void }

let element: HTMLElement | null = null
let drawn: Drawn | null = null
let newest: ChartData | null = null
let shown = ''

/** A stacked chart of bars. There is one on the page at a time; it is drawn again as the data, the width or the colours change. */
export function chart(data: ChartData): TemplateResult {
  newest = data
  const text = JSON.stringify(data)
  if (text !== shown) drawn?.plot.setData(stacked(data))
  shown = text
  return html`<div class="chart" ${ref(attach)}></div>`
}

function attach(given: Element | undefined): void {
  if (given === element) return
  drawn?.stop()
  drawn = null
  element = given instanceof HTMLElement ? given : null
  queueMicrotask(() => {
    // it has no width before it is in the page
    if (element?.isConnected === true && drawn === null) drawn = draw(element)
  })
}

function draw(place: HTMLElement): Drawn {
  const data = newest === null ? emptyData() : stacked(newest)
  const plot = new uPlot(optionsOf(place), data, place)
  const resized = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT }))
  resized.observe(place)
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const again = (): void => {
    stop()
    drawn = draw(place)
  }
  dark.addEventListener('change', again)
  const stop = (): void => {
    resized.disconnect()
    dark.removeEventListener('change', again)
    plot.destroy()
  }
  return { plot, stop }
}

/** Each series is drawn with all below it, the highest first: so they stand on each other. */
function stacked({ starts, series }: ChartData): uPlot.AlignedData {
  const sums: number[][] = []
  let below: readonly number[] = starts.map(() => 0)
  for (const outcome of FROM_BELOW) {
    const sum = series[outcome].map((count, at) => count + (below[at] ?? 0))
    sums.unshift(sum)
    below = sum
  }
  return [[...starts], ...sums]
}

function emptyData(): uPlot.AlignedData {
  return [[], ...OUTCOMES.map(() => [])]
}

function optionsOf(place: HTMLElement): uPlot.Options {
  const colour = (name: string): string => getComputedStyle(place).getPropertyValue(name).trim()
  const bars = uPlot.paths.bars?.({ size: [0.8, 24] })
  const hour = (seconds: number): string => new Date(seconds * 1_000).toTimeString().slice(0, 5)
  const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } }
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true, range: (_plot, min, max) => [min - HALF_SLICE_S, max + HALF_SLICE_S] },
      y: { range: (_plot, _min, max) => [0, Math.max(4, Math.ceil(max * 1.1))] },
    },
    axes: [
      { ...axis, size: 30, space: 80, incrs: [60, 120, 300], values: (_plot, splits) => splits.map(hour) },
      { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] },
    ],
    series: [
      {},
      ...OUTCOMES.map((outcome) => ({
        fill: colour(`--${outcome}`),
        stroke: colour(`--${outcome}`),
        width: 0,
        points: { show: false },
        ...(bars === undefined ? {} : { paths: bars }),
      })),
    ],
  }
}
