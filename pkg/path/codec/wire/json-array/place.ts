const encoder = new TextEncoder()

/** How much of an array has left: no byte of it, something of it, or all of it. */
export type ArrayPlace = 'nothing' | 'open' | 'closed'

const CLOSING_BRACKET = 0x5d
const BRACE = 0x7b

/** Where an array stands once whole frames of it have left: its elements are objects, so a last `]` is its own. */
export function placeAfter(place: ArrayPlace, bytes: Uint8Array): ArrayPlace {
  for (let i = bytes.length - 1; i >= 0; i -= 1) {
    const byte = bytes[i]
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue
    return byte === CLOSING_BRACKET ? 'closed' : 'open'
  }
  return place
}

/** What ends an open array with one more element; nothing where the array is closed already. */
export function closeWith(place: ArrayPlace, element: string): Uint8Array {
  if (place === 'closed') return new Uint8Array(0)
  return encoder.encode(`${place === 'nothing' ? '[' : ',\n'}${element}]`)
}

/** What stands before the element of a frame: `[` or `,`, and white space. */
export function leadOf(raw: Uint8Array): Uint8Array {
  const at = raw.indexOf(BRACE)
  return raw.subarray(0, at === -1 ? raw.length : at)
}

/** A frame with another element in the place of its own. */
export function elementFrame(raw: Uint8Array, element: string): Uint8Array {
  const lead = leadOf(raw)
  const bytes = encoder.encode(element)
  const out = new Uint8Array(lead.length + bytes.length)
  out.set(lead)
  out.set(bytes, lead.length)
  return out
}
