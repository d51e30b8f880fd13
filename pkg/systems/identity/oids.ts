import { derOid } from './der.ts'

const hex = (dotted: string): string => derOid(dotted).subarray(2).toString('hex')

/** Object identifiers that are read, as the hexadecimal content of their DER. */
export const OID = {
  basicConstraints: hex('2.5.29.19'),
  keyUsage: hex('2.5.29.15'),
  extendedKeyUsage: hex('2.5.29.37'),
  subjectAltName: hex('2.5.29.17'),
  nameConstraints: hex('2.5.29.30'),
  subjectKeyId: hex('2.5.29.14'),
  authorityKeyId: hex('2.5.29.35'),
  extensionRequest: hex('1.2.840.113549.1.9.14'),
  ecPublicKey: hex('1.2.840.10045.2.1'),
  ecdsaSha256: hex('1.2.840.10045.4.3.2'),
  serverAuth: hex('1.3.6.1.5.5.7.3.1'),
  clientAuth: hex('1.3.6.1.5.5.7.3.2'),
} as const

/** Signatures of certificates that count: over SHA-2, by RSA (PKCS #1) or ECDSA, and Ed25519. */
export const SIGNATURES: ReadonlySet<string> = new Set(
  [
    '1.2.840.113549.1.1.11',
    '1.2.840.113549.1.1.12',
    '1.2.840.113549.1.1.13',
    '1.2.840.10045.4.3.2',
    '1.2.840.10045.4.3.3',
    '1.2.840.10045.4.3.4',
    '1.3.101.112',
  ].map(hex),
)

/**
 * The extension with an agent's uid and epoch. A UUID in parts, under the arc that Microsoft keeps for such: that of X.667
 * (2.25) has one number of 128 bits, which Go's x509 and others do not read.
 */
export const AGENT_EXTENSION = '1.2.840.113556.1.8000.2554.23023.62322.44742.16765.44801.5544573.14521344'
/** The same as {@link OID} has it. */
export const AGENT_EXTENSION_HEX = hex(AGENT_EXTENSION)
