import { sign } from 'node:crypto'
import { makeJwtKey, makeX509Authority, signedLeaf } from './certificates.ts'
import type { CaJob, CaResult } from './contract.ts'
import { readCsr } from './csr.ts'

/** Does one job of the CA, in this thread. */
export function workOf(job: CaJob): CaResult {
  switch (job.do) {
    case 'make-x509':
      return { did: 'make-x509', ...makeX509Authority(job.spec) }
    case 'make-jwt':
      return { did: 'make-jwt', ...makeJwtKey() }
    case 'issue': {
      const read = readCsr(job.csr, job.leaf.spiffeId)
      return read.ok
        ? { did: 'issue', der: signedLeaf(read.spki, job.leaf, job.key) }
        : { did: 'refused', fault: read.fault }
    }
    case 'sign':
      return { did: 'sign', signature: sign('sha256', Buffer.from(job.text), job.key) }
  }
}
