import type { Reason } from '#pkg/model'
import type { ProfileRules } from './profile.ts'

const ASCII = /^[\x20-\x7e]*$/

/** Characters that show nothing, or only space: default-ignorables, format and control characters, odd spaces. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u

/** Letters that look like ASCII, by script, each row above what it looks like. What NFKC folds is not listed. */
const LOOK_ALIKE_ROWS: readonly (readonly [string, string])[] = [
  ['асԁеһіїјӏорԛѕԝхуѵѡүАВСЕНІЈКМОРԚЅТԜХУӀ', 'acdehiijlopqswxyvwyABCEHIJKMOPQSTWXYI'],
  ['αικνορυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'aikvopuxABEZHIKMNOPTYX'],
  ['օհսցզյոՕՍԼ', 'ohugqjnOUL'],
  ['ɑɡıɩᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ', 'agiiabcdeghijklmnoprstuvwyz'],
  ['ᎠᎡᎢᎥᎪᎫᎬᎳᎷᎻᏀᏃᏚᏞᏟᏢᏦᏙ', 'DRTiAJEWMHGZSLCPKV'],
  ['‐−⁃․', '---.'],
]

const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  LOOK_ALIKE_ROWS.flatMap(([theirs, ours]) => [...theirs].map((letter, i) => [letter, ours.charAt(i)] as const)),
)

/** The key without case and Unicode form: two keys that fold to the same text are one key to some client. */
export function foldKey(key: string): string {
  if (ASCII.test(key)) return key.toLowerCase()
  // Upper case first: it also joins what only full case folding joins (ß and ss, ſ and s).
  return key.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
}

/**
 * True for a name that does not show what it is: with characters that nobody sees, or not ASCII although every
 * character of it looks like ASCII (after NFKC: full-width and mathematical letters, ligatures, superscripts).
 * Names in other scripts are no deceit.
 */
export function isDeceptiveName(name: string): boolean {
  if (ASCII.test(name)) return false
  if (INVISIBLE.test(name)) return true
  let shown = ''
  for (const character of name.normalize('NFKC')) shown += LOOK_ALIKES.get(character) ?? character
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
