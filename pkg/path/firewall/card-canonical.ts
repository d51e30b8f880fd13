type Json = Readonly<Record<string, unknown>>

/** JSON by RFC 8785: sorted keys, numbers and texts as ECMAScript writes them. */
export function jcs(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jcs).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${members.map(([key, inner]) => `${JSON.stringify(key)}:${jcs(inner)}`).join(',')}}`
}

/**
 * What the signature of a card may be over, most literal first. A2A 1.0 §8.4.1 signs the card without `signatures` and
 * without members that have their default; who writes it down again may put those back, or serve it with members that
 * 1.0 does not have. All forms say the same to a reader of 1.0.
 */
export function signedForms(card: Json): readonly string[] {
  const { signatures: _signatures, ...signed } = card
  const forms = [signed, cleaned(signed), cleaned(shaped(unwrapped(signed), CARD))]
  return [...new Set(forms.map((form) => jcs(form ?? {})))]
}

/** Without empty texts, lists and objects, at any depth; null = nothing is left. */
function cleaned(value: unknown): unknown {
  if (value === '' || value === null || value === undefined) return null
  if (Array.isArray(value)) {
    const list = value.map(cleaned).filter((one) => one !== null)
    return list.length > 0 ? list : null
  }
  if (typeof value !== 'object') return value
  const members = Object.entries(value).map(([key, inner]) => [key, cleaned(inner)] as const)
  const left = members.filter(([, inner]) => inner !== null)
  return left.length > 0 ? Object.fromEntries(left) : null
}

/** The official Node SDK serves a choice as `{ scheme: { $case: 'x', value } }`, and signs it as `{ x: value }`. */
function unwrapped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapped)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (typeof inner === 'object' && inner !== null && '$case' in inner && 'value' in inner)
        return [String(inner.$case), unwrapped(inner.value)]
      return [key, unwrapped(inner)]
    }),
  )
}

/** Members that 1.0 has: `true` = as they are, `default` = not where they are false, else what is in them. */
type Shape = { readonly [name: string]: true | 'default' | Shape }

const INTERFACE: Shape = { url: true, protocolBinding: true, tenant: true, protocolVersion: true }
const EXTENSION: Shape = { uri: true, description: true, required: 'default', params: true }
const CAPABILITIES: Shape = { streaming: true, pushNotifications: true, extensions: EXTENSION, extendedAgentCard: true }
const SKILL: Shape = {
  id: true,
  name: true,
  description: true,
  tags: true,
  examples: true,
  inputModes: true,
  outputModes: true,
  securityRequirements: true,
}
const CARD: Shape = {
  name: true,
  description: true,
  supportedInterfaces: INTERFACE,
  provider: { url: true, organization: true },
  version: true,
  documentationUrl: true,
  capabilities: CAPABILITIES,
  securitySchemes: true,
  securityRequirements: true,
  defaultInputModes: true,
  defaultOutputModes: true,
  skills: SKILL,
  iconUrl: true,
}

function shaped(value: unknown, shape: Shape): unknown {
  if (Array.isArray(value)) return value.map((one) => shaped(one, shape))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).flatMap(([key, inner]) => {
    const is = Object.hasOwn(shape, key) ? shape[key] : undefined
    if (is === undefined || (is === 'default' && inner === false)) return []
    return [[key, typeof is === 'object' ? shaped(inner, is) : inner]]
  })
  return Object.fromEntries(members)
}
