import type { KeyObject } from 'node:crypto'
import type { LeafSpec, X509AuthorityMade, X509AuthoritySpec } from './certificates.ts'
import type { CsrFault } from './csr.ts'

/** What a thread of the CA is asked to do: keys are made and used off the main thread. */
export type CaJob =
  | { readonly do: 'make-x509'; readonly spec: X509AuthoritySpec }
  | { readonly do: 'make-jwt' }
  | { readonly do: 'issue'; readonly csr: Uint8Array; readonly leaf: LeafSpec; readonly key: KeyObject }
  | { readonly do: 'sign'; readonly text: string; readonly key: KeyObject }

/** What comes of a job. */
export type CaResult =
  | ({ readonly did: 'make-x509' } & X509AuthorityMade)
  | { readonly did: 'make-jwt'; readonly key: Uint8Array; readonly n: string; readonly e: string }
  | { readonly did: 'issue'; readonly der: Uint8Array }
  | { readonly did: 'refused'; readonly fault: CsrFault }
  | { readonly did: 'sign'; readonly signature: Uint8Array }

/** Who does the jobs. */
export interface CaWorker {
  /** @throws SallyportError OVERLOADED when the job was not done */
  run(job: CaJob): Promise<CaResult>
  close(): Promise<void>
}
