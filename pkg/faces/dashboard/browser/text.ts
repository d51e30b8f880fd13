import { html, nothing, type TemplateResult } from 'lit/html.js'

/** What turns text around, hides in it or steers: the same set that `sallyctl` escapes for a terminal. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu

/** Characters that a `title` may hold. */
const MAX_TITLE = 2_000

/** A text of unknown origin with its control, bidi and other unseen characters as `\u{202e}`. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
}

/** The first `max` characters, with `…` where there are more. */
export function cut(text: string, max: number): string {
  const chars = Array.from(text.slice(0, max * 2 + 2))
  return chars.length <= max && text.length <= max * 2 ? text : `${chars.slice(0, max - 1).join('')}…`
}

/**
 * A text that an agent, a policy or a person has written: made visible, isolated from what stands beside it, cut with the
 * whole of it as its title.
 */
export function foreign(text: string, max = 80): TemplateResult {
  const whole = visible(text)
  const short = cut(whole, max)
  return html`<bdi title=${short === whole ? nothing : cut(whole, MAX_TITLE)}>${short}</bdi>`
}

/** The same, or a dash where there is none. */
export function foreignOr(text: string | null, max = 80): TemplateResult | string {
  return text === null || text === '' ? '–' : foreign(text, max)
}

/** A time of day as a person's clock shows it; the whole moment as its title. */
export function moment(rfc3339: string): TemplateResult {
  const date = new Date(rfc3339)
  if (Number.isNaN(date.getTime())) return html`<span>–</span>`
  const iso = date.toISOString()
  return html`<time datetime=${iso} title=${iso}>${clockText(date)}</time>`
}

function clockText(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}

/** A duration as `4 min 10 s`; whole seconds. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
}
