/**
 * random: names that nobody can guess.
 *
 * In:  a source of random bytes (through the deps of whoever needs names).
 * Out: `prefix` + letters and digits, each as likely as any other.
 *
 * Never: a source of its own, a name that tells something about another.
 */
export * from './names.ts'
