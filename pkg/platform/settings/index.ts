/**
 * settings: what the operator asked for, read once, checked whole.
 *
 * In:  a table of settings, the flags of the command line, the environment, and perhaps a file's values.
 * Out: typed values (flags > environment > file > default), or every fault at once, each with its place and its remedy.
 * An unknown name is a fault that says which known one it resembles. Secrets come only from the environment and are
 * Secret values from here on.
 *
 * Never: reads the environment but in `processEnv`, guesses, prints a secret.
 */
export * from './kinds.ts'
export { nearest } from './nearest.ts'
export * from './process-env.ts'
export * from './read-settings.ts'
export * from './up-settings.ts'
