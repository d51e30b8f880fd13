import type { Reason } from '#pkg/model'
import type { ProfileRules } from './profile.ts'

const ASCII = /^[\x20-\x7e]*$/

/** Characters that show nothing, or only space: default-ignorables, format and control characters, odd spaces. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u

/** Letters of other scripts that look like one of ours, and what they look like. Lower case; NFKC does the rest. */
const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  (
    'аa вb сc ԁd еe ҽe ѓr һh іi їi јj кk ӏl мm оo рp ԛq гr ѕs тt цu ѵv ѡw ԝw хx уy ү' +
    'y зz пn ոn ' +
    'αa βb ϲc εe ηn ιi κk νv οo ρp τt υu χx γy ωw ϳj σo ϛs ' +
    'աw հh յj օo սu ցg զq ոn ոn ԼL ' +
    'ɑa ɡg ɩi ı' +
    'i ʟl ɴn ʀr ᴀa ʙb ᴄc ᴅd ᴇe ғf ɢg ʜh ɪi ᴊj ᴋk ᴍm ᴏo ᴘp ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz ' +
    'ꭰd ꭱr ꭲt ꭵi ꭺa ꭻj ꭼe ꮃw ꮇm ꮋh ꮐg ꮓz ꮪs ꮮl ꮯc ꮲp ꮶk ꮤw ꮩv ꮅp ꮎo ꮍy ꮷb ‐- ‑- –- —- −- ⁄/ ∕/ ⁎* ․. ‧. ꞉: ⁃-'
  )
    .trim()
    .split(/\s+/)
    .map((pair) => [pair.slice(0, -1), pair.slice(-1).toLowerCase()]),
)

/** The key without case and Unicode form: two keys that fold to the same text are one key to some client. */
export function foldKey(key: string): string {
  if (ASCII.test(key)) return key.toLowerCase()
  return key.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
}

/**
 * True for a name that does not show what it is: with characters that nobody sees, or not ASCII although every
 * character of it looks like ASCII. Names in other scripts are no deceit.
 */
export function isDeceptiveName(name: string): boolean {
  if (ASCII.test(name)) return false
  if (INVISIBLE.test(name)) return true
  let shown = ''
  for (const character of foldKey(name)) shown += LOOK_ALIKES.get(character) ?? character
  return ASCII.test(shown)
}

/** What is wrong with the text of a key, alone. `null` = nothing. */
export function keyFault(key: string, rules: ProfileRules): { reason: Reason; detail: string } | null {
  if (key === '__proto__') return { reason: 'WIRE_KEY_FORBIDDEN', detail: 'has the key __proto__' }
  if (!rules.strictKeys) return null
  if (key === 'constructor' || key === 'prototype') {
    return { reason: 'WIRE_KEY_FORBIDDEN', detail: `has the key ${key}` }
  }
  if (!isDeceptiveName(key)) return null
  return { reason: 'WIRE_INVISIBLE_TEXT', detail: 'has a key with invisible or look-alike characters' }
}
