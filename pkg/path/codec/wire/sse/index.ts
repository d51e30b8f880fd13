/**
 * wire/sse: cuts the bytes of an event stream into frames that keep those bytes.
 *
 * In:  chunks of a `text/event-stream` body, decoded, cut anywhere; the cap of one event.
 * Out: Frame: events with their data, comments, faults. All `raw` in a row = what came in, byte for byte.
 *
 * Reads as WHATWG HTML §9.2.6 does. Where clients are known to differ it keeps the bytes and calls the frame a
 * fault: field names in other case or with something around them, a byte order mark that is not the stream's first
 * character, bytes that are not UTF-8, line separators of other readers outside of data, an event of several data
 * lines one of which is a JSON object by itself. U+0085, U+2028 and U+2029 inside data are legal JSON and pass.
 *
 * Never: drops, adds or re-orders a byte, waits for more of a frame than its cap, or reads what data means.
 */
export { newSseSplitter, type SseSplitter } from './splitter.ts'
