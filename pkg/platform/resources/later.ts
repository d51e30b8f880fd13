/**
 * Values that the schemas know and that nothing carries out yet: `control/compile` refuses them as UnsupportedField. By
 * the path of their field without positions. A fault of a value names what can be used instead, and not these.
 */
export const LATER_VALUES: Readonly<Record<string, readonly string[]>> = {
  'spec.onViolation.action': ['Redact', 'Hold'],
  'spec.onViolation.rules.action': ['Redact', 'Hold'],
  'spec.tools.allow.execution': ['a2a', 'http', 'stdio'],
  'spec.mcp.servers.onDrift': ['Hold'],
}
