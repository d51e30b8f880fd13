/**
 * The published lists whose ids a finding carries, with the edition and the titles of every id that is used here.
 * Checked in November 2026 against:
 *
 * - `owaspLlm`: OWASP Top 10 for LLM Applications 2025 (18 November 2024). The list of 2026 numbers its risks anew; the year
 *   in the id says which list is meant.
 * - `owaspAsi`: OWASP Top 10 for Agentic Applications 2026 (9 December 2025).
 * - `owaspThreats`: OWASP Agentic AI – Threats and Mitigations 1.1 (December 2025): T1 … T17.
 * - `atlas`: MITRE ATLAS 2026.09. Only techniques whose number is the same since 5.4.0: AML.T0104 became AML.T0115.002.
 * - `nistAiRmf`: NIST AI 100-1, AI RMF 1.0 (January 2023). The titles are shortened.
 * - `euAiAct`: Regulation (EU) 2024/1689 (12 July 2024).
 *
 * `prefix` stands before an id where ids of several lists are mixed and it would not say by itself whose it is.
 */
export const FRAMEWORKS = {
  owaspLlm: {
    name: 'OWASP Top 10 for LLM Applications',
    version: '2025',
    prefix: '',
    ids: {
      'LLM01:2025': 'Prompt Injection',
      'LLM02:2025': 'Sensitive Information Disclosure',
      'LLM03:2025': 'Supply Chain',
      'LLM05:2025': 'Improper Output Handling',
      'LLM06:2025': 'Excessive Agency',
      'LLM10:2025': 'Unbounded Consumption',
    },
  },
  owaspAsi: {
    name: 'OWASP Top 10 for Agentic Applications',
    version: '2026',
    prefix: '',
    ids: {
      ASI01: 'Agent Goal Hijack',
      ASI02: 'Tool Misuse and Exploitation',
      ASI03: 'Identity and Privilege Abuse',
      ASI04: 'Agentic Supply Chain Vulnerabilities',
      ASI05: 'Unexpected Code Execution',
      ASI06: 'Memory and Context Poisoning',
      ASI07: 'Insecure Inter-Agent Communication',
      ASI10: 'Rogue Agents',
    },
  },
  owaspThreats: {
    name: 'OWASP Agentic AI – Threats and Mitigations',
    version: '1.1',
    prefix: 'OWASP ',
    ids: {
      T1: 'Memory Poisoning',
      T2: 'Tool Misuse',
      T3: 'Privilege Compromise',
      T4: 'Resource Overload',
      T6: 'Intent Breaking & Goal Manipulation',
      T8: 'Repudiation & Untraceability',
      T9: 'Identity Spoofing & Impersonation',
      T11: 'Unexpected RCE and Code Attacks',
      T12: 'Agent Communication Poisoning',
      T13: 'Rogue Agents in Multi-Agent Systems',
      T16: 'Insecure Inter-Agent Protocol Abuse',
      T17: 'Supply Chain Compromise',
    },
  },
  atlas: {
    name: 'MITRE ATLAS',
    version: '2026.09',
    prefix: '',
    ids: {
      'AML.T0010': 'AI Supply Chain Compromise',
      'AML.T0025': 'Exfiltration via Cyber Means',
      'AML.T0029': 'Denial of AI Service',
      'AML.T0048': 'External Harms',
      'AML.T0050': 'Command and Scripting Interpreter',
      'AML.T0051': 'LLM Prompt Injection',
      'AML.T0053': 'AI Agent Tool Invocation',
      'AML.T0068': 'LLM Prompt Obfuscation',
      'AML.T0074': 'Masquerading',
      'AML.T0080': 'AI Agent Context Poisoning',
      'AML.T0085': 'Data from AI Services',
      'AML.T0086': 'Exfiltration via AI Agent Tool Invocation',
      'AML.T0091': 'Use Alternate Authentication Material',
      'AML.T0101': 'Data Destruction via AI Agent Tool Invocation',
      'AML.T0110': 'AI Agent Tool Poisoning',
    },
  },
  nistAiRmf: {
    name: 'NIST AI RMF',
    version: '1.0',
    prefix: 'NIST ',
    ids: {
      'GOVERN 3.2': 'roles and responsibilities for human-AI configurations and oversight',
      'GOVERN 6.1': 'policies for the risks of third-party entities',
      'MEASURE 2.4': 'behaviour of the system and its components is monitored in production',
      'MEASURE 2.6': 'the system can fail safely',
      'MEASURE 2.7': 'security and resilience are evaluated and documented',
      'MEASURE 2.8': 'risks of transparency and accountability are examined and documented',
      'MEASURE 2.10': 'privacy risk is examined and documented',
      'MANAGE 2.4': 'mechanisms to supersede, disengage or deactivate AI systems',
      'MANAGE 3.1': 'third-party resources are monitored, and risk controls applied and documented',
    },
  },
  euAiAct: {
    name: 'EU AI Act',
    version: '2024/1689',
    prefix: 'EU AI Act ',
    ids: {
      'Art. 12': 'Record-keeping',
      'Art. 14': 'Human oversight',
      'Art. 15': 'Accuracy, robustness and cybersecurity',
      'Art. 26': 'Obligations of deployers of high-risk AI systems',
    },
  },
} as const

/** A key of {@link FRAMEWORKS}. */
export type Framework = keyof typeof FRAMEWORKS

/** The keys of {@link FRAMEWORKS}, in the order in which ids are printed. */
export const FRAMEWORK_KEYS = [
  'owaspLlm',
  'owaspAsi',
  'owaspThreats',
  'atlas',
  'nistAiRmf',
  'euAiAct',
] as const satisfies readonly Framework[]

type IdOf<F extends Framework> = keyof (typeof FRAMEWORKS)[F]['ids']

/** The ids of one class, by list; a list that has no id for it is empty. */
export type TaxonomyIds = { readonly [F in Framework]: readonly IdOf<F>[] }

/** The title of an id in its list, or null where this table does not have it. */
export function titleOf(framework: Framework, id: string): string | null {
  const titles: Readonly<Record<string, string>> = FRAMEWORKS[framework].ids
  return Object.hasOwn(titles, id) ? (titles[id] ?? null) : null
}
