import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf'
import { SallyportError } from '#pkg/model/errors'
import type { RpcCall, RpcHandlers } from '#pkg/platform/rpc'
import { SpiffeWorkloadAPI, type X509BundlesResponseSchema, type X509SVIDResponseSchema } from '#proto/spiffe/workload'
import type { Identity } from './identities.ts'

/** What a workload's endpoint gives out: that of one agent. Each function throws IDENTITY_DENIED where the agent may not have it. */
export interface WorkloadSource {
  /** Made if need be. @throws SallyportError IDENTITY_DENIED, STATE_UNAVAILABLE, OVERLOADED */
  identity(): Promise<Identity>
  /** A JWT-SVID of it. Same errors. */
  tokenFor(identity: Identity, audience: string, others: readonly string[]): Promise<string>
  /** The bundle: DER of each root, and the JWK Set of the keys of tokens. @throws SallyportError IDENTITY_DENIED */
  bundle(): WorkloadBundle
  /** What a JWT-SVID says, or why it says nothing. @throws SallyportError IDENTITY_DENIED */
  validate(token: string, audience: string): { readonly spiffeId: string; readonly claims: JsonObject } | string
  /** Told when any of this may have changed; returns how to stop that. */
  onChange(listener: () => void): () => void
}

/** The keys of a trust domain by their use. */
export type WorkloadBundle = {
  readonly trustDomain: string
  readonly x509: readonly Uint8Array[]
  readonly jwt: { readonly keys: readonly object[] }
}

/** The service that these functions carry out. */
export const WORKLOAD_SERVICE = SpiffeWorkloadAPI

const HEADER = 'workload.spiffe.io'
const MAX_AUDIENCES = 8
const MAX_AUDIENCE_LENGTH = 2_048

/** The SPIFFE Workload API over one source. Streams answer at once, and again whenever what they hold is another. */
export function newWorkloadHandlers(source: WorkloadSource): RpcHandlers<typeof SpiffeWorkloadAPI> {
  return {
    fetchX509SVID: (_request, call) => {
      assertAware(call)
      return whenever(source, call.signal, async () => {
        const identity = await source.identity()
        const bundle = source.bundle()
        return { key: [identity.x509.serial, ...keyOf(bundle)], value: svidsOf(identity, bundle) }
      })
    },
    fetchX509Bundles: (_request, call) => {
      assertAware(call)
      return whenever(source, call.signal, async () => {
        const bundle = source.bundle()
        return { key: keyOf(bundle), value: x509BundlesOf(bundle) }
      })
    },
    fetchJWTSVID: async ({ audience, spiffeId }, call) => {
      assertAware(call)
      const [first, ...others] = readAudiences(audience)
      const identity = await source.identity()
      if (spiffeId !== '' && spiffeId !== identity.spiffeId)
        throw new SallyportError('IDENTITY_DENIED', 'the identity that is asked for is not that of this workload')
      return { svids: [{ spiffeId: identity.spiffeId, svid: await source.tokenFor(identity, first, others) }] }
    },
    fetchJWTBundles: (_request, call) => {
      assertAware(call)
      return whenever(source, call.signal, async () => {
        const { trustDomain, jwt } = source.bundle()
        const text = JSON.stringify(jwt)
        return { key: [text], value: { bundles: { [`spiffe://${trustDomain}`]: Buffer.from(text) } } }
      })
    },
    validateJWTSVID: async ({ audience, svid }, call) => {
      assertAware(call)
      if (audience === '' || svid === '') throw new SallyportError('USAGE', 'audience and svid must be given')
      const found = source.validate(svid, audience)
      if (typeof found === 'string') throw new SallyportError('USAGE', `the JWT-SVID does not verify: ${found}`)
      return found
    },
  }
}

/** A request that a page or a proxy was led to make does not carry the header. Workload Endpoint §5. */
function assertAware(call: RpcCall): void {
  const [value, ...more] = call.metadata(HEADER)
  if (value === 'true' && more.length === 0) return
  throw new SallyportError(
    'USAGE',
    `the metadata key "${HEADER}" must be "true": a security header of the Workload API`,
  )
}

function readAudiences(given: readonly string[]): readonly [string, ...string[]] {
  const [first, ...others] = given
  if (first === undefined || given.some((one) => one === '' || one.length > MAX_AUDIENCE_LENGTH))
    throw new SallyportError('USAGE', `audience must be given, each of 1 to ${MAX_AUDIENCE_LENGTH} characters`)
  if (given.length > MAX_AUDIENCES)
    throw new SallyportError('USAGE', `a token is for at most ${MAX_AUDIENCES} audiences; ${given.length} were given`)
  return [first, ...others]
}

function svidsOf(identity: Identity, bundle: WorkloadBundle): MessageInitShape<typeof X509SVIDResponseSchema> {
  const { spiffeId, x509, key } = identity
  return {
    svids: [
      {
        spiffeId,
        x509Svid: Buffer.concat(x509.chain),
        x509SvidKey: key.privateKey.export({ format: 'der', type: 'pkcs8' }),
        bundle: Buffer.concat(bundle.x509),
      },
    ],
  }
}

function x509BundlesOf(bundle: WorkloadBundle): MessageInitShape<typeof X509BundlesResponseSchema> {
  return { bundles: { [`spiffe://${bundle.trustDomain}`]: Buffer.concat(bundle.x509) } }
}

function keyOf({ x509 }: WorkloadBundle): readonly string[] {
  return x509.map((root) => Buffer.from(root).toString('base64'))
}

type Made<T> = { readonly key: readonly string[]; readonly value: T }

/** What `make` makes now, and each time that it makes another, until the caller is gone. What it throws ends the stream. */
async function* whenever<T>(
  source: Pick<WorkloadSource, 'onChange'>,
  signal: AbortSignal,
  make: () => Promise<Made<T>>,
): AsyncGenerator<T> {
  let isDue = true
  let wake = (): void => {}
  const rouse = (): void => {
    isDue = true
    wake()
  }
  const stop = source.onChange(rouse)
  signal.addEventListener('abort', rouse, { once: true })
  let last: string | null = null
  try {
    while (!signal.aborted) {
      if (!isDue)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      if (signal.aborted) return
      isDue = false
      const { key, value } = await make()
      const next = key.join(' ')
      if (next === last) continue
      last = next
      yield value
    }
  } finally {
    stop()
    signal.removeEventListener('abort', rouse)
  }
}
