import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics } from './contract.ts'

/** How often the event loop is asked. */
const SAMPLE_MS = 20
const NS = 1e9
const US = 1e6

/** Measures this process. `refresh` before each scrape; `close` ends the sampling, which keeps no process alive. */
export function meterProcess({ count, watch }: Pick<Metrics, 'count' | 'watch'>): { refresh(): void; close(): void } {
  const loop = monitorEventLoopDelay({ resolution: SAMPLE_MS })
  loop.enable()
  const startedAt = performance.timeOrigin / 1_000
  let cpu: NodeJS.CpuUsage = { user: 0, system: 0 }

  watch('sallyport_process_start_time_seconds', () => [{ labels: {}, value: startedAt }])
  watch('sallyport_process_resident_memory_bytes', () => [{ labels: {}, value: process.memoryUsage.rss() }])
  watch('sallyport_process_heap_bytes', () => {
    const { heapUsed, heapTotal, external } = process.memoryUsage()
    return [
      { labels: { kind: 'used' }, value: heapUsed },
      { labels: { kind: 'total' }, value: heapTotal },
      { labels: { kind: 'external' }, value: external },
    ] as const
  })
  watch('sallyport_event_loop_delay_seconds', () => {
    const over = (ns: number): number => (Number.isFinite(ns) ? Math.max(0, ns / NS - SAMPLE_MS / 1_000) : 0)
    const values = [
      { labels: { stat: 'mean' }, value: over(loop.mean) },
      { labels: { stat: 'p50' }, value: over(loop.percentile(50)) },
      { labels: { stat: 'p99' }, value: over(loop.percentile(99)) },
      { labels: { stat: 'max' }, value: loop.count === 0 ? 0 : over(loop.max) },
    ] as const
    loop.reset()
    return values
  })
  return {
    refresh: () => {
      const now = process.cpuUsage()
      count('sallyport_process_cpu_seconds_total', { mode: 'user' }, (now.user - cpu.user) / US)
      count('sallyport_process_cpu_seconds_total', { mode: 'system' }, (now.system - cpu.system) / US)
      cpu = now
    },
    close: () => loop.disable(),
  }
}
