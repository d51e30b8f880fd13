import { compilePattern } from './pattern.ts'

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const DATE = '[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])'
const TIME =
  '(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\\.[0-9]{1,9})?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])'

/** The formats that schemas may ask for, each linear. Any other is a fault when the schema compiles. JSON Schema 2020-12 §7.3. */
export const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  date: whole(DATE),
  time: whole(TIME),
  'date-time': whole(`${DATE}[Tt]${TIME}`),
  email: whole(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@${LABEL}(?:\\.${LABEL})*`),
  hostname: whole(`${LABEL}(?:\\.${LABEL})*`),
  ipv4: whole(`${OCTET}(?:\\.${OCTET}){3}`),
  uri: (text) => /^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$/.test(text) && URL.canParse(text),
  uuid: whole('[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}'),
}

function whole(source: string): (text: string) => boolean {
  return (text) => text.length <= 4096 && compilePattern(`^(?:${source})$`).test(text)
}
