// Made by "make generate" from crds/agentpolicies.sallyport.dev.yaml. Do not edit.

/**
 * What the agents that it selects may do. What no policy grants is refused.
 */
export interface AgentPolicy {
  apiVersion?: string
  kind?: string
  metadata?: {
    [k: string]: unknown
  }
  spec: {
    /**
     * Which agents, by the labels of their pods. Empty selects every meshed pod of this namespace.
     */
    selector: {
      matchLabels?: {
        [k: string]: string
      }
      matchExpressions?: {
        key: string
        operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
        values?: string[]
      }[]
    }
    /**
     * Only in the operator's namespace: makes this policy a ceiling for the selected namespaces.
     */
    namespaceSelector?: {
      matchLabels?: {
        [k: string]: string
      }
      matchExpressions?: {
        key: string
        operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
        values?: string[]
      }[]
    }
    /**
     * Audit judges and records and never acts.
     */
    mode?: 'Audit' | 'Enforce'
    /**
     * The role claim, a DNS label.
     */
    role: string
    /**
     * Manual: a person releases each agent first.
     */
    activation?: 'Automatic' | 'Manual'
    /**
     * Tools that may be called. Default deny; a deny in any policy wins.
     */
    tools?: {
      allow?: {
        /**
         * Exact name or trailing-* glob.
         */
        name: string
        /**
         * Only through this mcp.servers entry; empty = function tool or any server.
         */
        server?: string
        /**
         * Where the call is carried out.
         */
        execution?: 'local' | 'mcp' | 'a2a' | 'http' | 'stdio' | 'output'
        /**
         * Upper bound of what the call may do; absent = judged by its arguments.
         */
        intents?: string[]
        /**
         * How far the result may be trusted.
         */
        resultTrust?: 'Trusted' | 'Untrusted' | 'Private'
        /**
         * Arguments that must be trusted while the session is tainted.
         */
        sensitive?: string[]
        /**
         * Arguments that the runtime adds after the model.
         */
        injected?: string[]
        approval?: {
          mode?: 'Never' | 'Always'
          /**
           * Argument paths that an approval is bound to; empty = all.
           */
          bind?: string[]
        }
        arguments?: {
          /**
           * JSON Schema 2020-12 of the arguments, without remote $ref.
           */
          schema?: {
            [k: string]: unknown
          }
          /**
           * CEL rules over args, agent, session, tool and peer; an error denies.
           */
          rules?: {
            name: string
            expression: string
            message?: string
          }[]
        }
      }[]
      deny?: {
        /**
         * Exact name or trailing-* glob.
         */
        name: string
        server?: string
      }[]
    }
    /**
     * Actions that this agent writes as text.
     */
    textTools?: {
      fence?: string
      tag?: string
    }[]
    /**
     * What the agent may do at all; an unlisted intent is denied.
     */
    intents?: {
      allow?: string[]
      deny?: string[]
    }
    /**
     * How calls are judged once the session has read untrusted content.
     */
    whenTainted?: {
      mode?: 'Graded' | 'RequireTrustedArguments' | 'Approve' | 'Deny'
      intents?: string[]
    }
    approvals?: {
      /**
       * Groups that may approve a Hold; none = Hold becomes Deny.
       */
      approvers?: string[]
    }
    /**
     * Personal data and secrets, by kind and direction.
     */
    data?: {
      name: string
      kinds?: string[]
      /**
       * RE2, length-bounded.
       */
      pattern?: string
      directions?: ('ToModel' | 'FromModel' | 'ToTool' | 'FromTool' | 'ToPeer' | 'FromPeer' | 'ToHost')[]
      action: 'Record' | 'Redact' | 'Hold' | 'Deny' | 'Abort' | 'Sever'
    }[]
    /**
     * Model providers; absent = no model.
     */
    llm?: {
      providers?: {
        name: string
        type: 'OpenAI' | 'Anthropic' | 'Gemini' | 'OpenAICompatible'
        /**
         * Required for OpenAICompatible.
         */
        host?: string
        keyRef?: {
          name: string
        }
        /**
         * Names or trailing-* globs; absent = none.
         */
        models?: string[]
        /**
         * Names or trailing-* globs of provider-hosted tools, or { name: mcp, serverUrls: [...] }.
         */
        hostedTools?: unknown[]
        opaque?: {
          method: string
          path: string
          upgrade?: 'websocket'
        }[]
      }[]
      router?: {
        aliases?: string[]
        qualityFloor?: string
        maxUsdPerRequest?: string
      }
    }
    mcp?: {
      servers?: {
        name: string
        url: string
        pin?: string
        onDrift?: 'Record' | 'Hold' | 'Deny'
        serverRequests?: string[]
        identity?: 'None' | 'JwtSvid'
      }[]
    }
    a2a?: {
      outbound?: {
        name: string
        agent: {
          namespace: string
          name: string
        }
        url: string
        skills?: string[]
        delegate?: {
          tools?: string[]
          usd?: string
        }
        grpc?: 'Open' | 'Refuse'
      }[]
      inbound?: {
        name: string
        agent: {
          namespace: string
          name: string
        }
        grpc?: 'Open' | 'Refuse'
      }[]
    }
    /**
     * Other hosts; absent = none.
     */
    egress?: {
      name: string
      hosts: string[]
      ports?: number[]
      methods?: string[]
      pathPrefixes?: string[]
      tls?: 'Opaque' | 'Inspect'
    }[]
    localServices?: {
      port: number
      protocol: 'mcp' | 'http' | 'opaque'
    }[]
    inbound?: {
      plaintextPorts?: number[]
    }
    budgets?: {
      name: string
      scope: 'Agent' | 'Session' | 'Key'
      period?: 'Month' | 'Day' | 'Hour'
      usd: string
      downgradeAtPercent?: number
      downgradeTo?: string
      quarantineAtPercent?: number
    }[]
    memory?: {
      access?: 'ReadWrite' | 'Read' | 'None'
      crossSession?: 'Explicit' | 'Denied'
      vectorIndex?: 'Obfuscated' | 'None'
      retentionDays?: number
    }
    session?: {
      idleTimeoutSeconds?: number
      maxToolCalls?: number
      maxToolCallsPerMinute?: number
      bindCalls?: 'Off' | 'Observe' | 'Require'
      maxDelegationDepth?: number
      unlinked?: 'Fresh' | 'Inherit'
    }
    /**
     * What follows a finding that refuses.
     */
    onViolation?: {
      action?: 'Record' | 'Redact' | 'Hold' | 'Deny' | 'Abort' | 'Sever'
      rules?: {
        name: string
        /**
         * Reason codes or trailing-* globs.
         */
        reasons: string[]
        action: 'Record' | 'Redact' | 'Hold' | 'Deny' | 'Abort' | 'Sever'
      }[]
      escalate?: {
        violations: number
        windowSeconds: number
        action: 'Record' | 'Redact' | 'Hold' | 'Deny' | 'Abort' | 'Sever'
      }
    }
    audit?: {
      payloads?: 'Redacted' | 'None'
    }
    pod?: {
      kubernetesApi?: 'Allow' | 'Deny'
      sharedVolumes?: string[]
      workloadApi?: 'Open' | 'Closed'
      extraRoots?: {
        configMap: string
        key: string
      }[]
    }
  }
  status?: {
    observedGeneration?: number
    snapshot?: {
      version?: string
      digest?: string
    }
    agents?: number
    sidecars?: {
      selected?: number
      acked?: number
      nacked?: number
      outdated?: number
    }
    nacks?: {
      pod?: string
      code?: string
      message?: string
      since?: string
    }[]
    conditions?: {
      type: string
      status: 'True' | 'False' | 'Unknown'
      observedGeneration?: number
      lastTransitionTime: string
      reason: string
      message: string
    }[]
  }
}
