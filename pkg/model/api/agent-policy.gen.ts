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
      /**
       * Grants, each judged whole; one of them has to hold in all its parts.
       */
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
        /**
         * Whether a person has to approve each call.
         */
        approval?: {
          mode?: 'Never' | 'Always'
          /**
           * Argument paths that an approval is bound to; empty = all.
           */
          bind?: string[]
        }
        /**
         * What the arguments have to look like.
         */
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
      /**
       * Tools that are refused whatever else is granted.
       */
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
    /**
     * Who may approve a call that is held.
     */
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
      /**
       * Absent = all.
       */
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
        /**
         * The ProviderKey; without one the key comes from the environment (standalone only).
         */
        keyRef?: {
          name: string
        }
        /**
         * Names or trailing-* globs; absent = none.
         */
        models?: string[]
        /**
         * Provider-hosted tools: names or trailing-* globs, or { name: mcp, serverUrls: [...] }; absent = none.
         */
        hostedTools?: unknown[]
        /**
         * Endpoints and upgrades of this provider that pass uninspected.
         */
        opaque?: {
          method: string
          path: string
          upgrade?: 'websocket'
        }[]
      }[]
      /**
       * The choice of a model by price and quality.
       */
      router?: {
        aliases?: string[]
        /**
         * From 0 to 1, as a decimal string.
         */
        qualityFloor?: string
        /**
         * US dollars as a decimal string.
         */
        maxUsdPerRequest?: string
      }
    }
    /**
     * MCP servers; absent = none.
     */
    mcp?: {
      servers?: {
        name: string
        url: string
        /**
         * Digest of the tool list; absent = pinned at first use.
         */
        pin?: string
        /**
         * What a changed tool list does.
         */
        onDrift?: 'Record' | 'Hold' | 'Deny'
        /**
         * Requests that the server may make of the agent, such as sampling.
         */
        serverRequests?: string[]
        identity?: 'None' | 'JwtSvid'
      }[]
    }
    /**
     * Other agents; both ends must agree. Absent = none.
     */
    a2a?: {
      outbound?: {
        name: string
        agent: {
          namespace: string
          name: string
        }
        url: string
        /**
         * Absent = none.
         */
        skills?: string[]
        /**
         * What the peer gets of this agent's rights.
         */
        delegate?: {
          tools?: string[]
          /**
           * US dollars as a decimal string.
           */
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
      /**
       * A path has to begin with one of these.
       */
      pathPrefixes?: string[]
      /**
       * Inspect reads what passes; Opaque only carries it.
       */
      tls?: 'Opaque' | 'Inspect'
    }[]
    /**
     * Ports of other containers of the pod that the agent may reach; absent = none.
     */
    localServices?: {
      port: number
      protocol: 'opaque' | 'http' | 'mcp'
    }[]
    /**
     * Callers outside the mesh; absent = none.
     */
    inbound?: {
      plaintextPorts?: number[]
    }
    /**
     * Spending limits; absent = the default of the installation.
     */
    budgets?: {
      name: string
      scope: 'Agent' | 'Session'
      period?: 'Month' | 'Day'
      /**
       * US dollars as a decimal string.
       */
      usd: string
      downgradeAtPercent?: number
      downgradeTo?: string
      quarantineAtPercent?: number
    }[]
    /**
     * What the agent may keep; the default is nothing.
     */
    memory?: {
      access?: 'ReadWrite' | 'Read' | 'None'
      crossSession?: 'Explicit' | 'Denied'
      vectorIndex?: 'Obfuscated' | 'None'
      retentionDays?: number
    }
    /**
     * Bounds of one session.
     */
    session?: {
      idleTimeoutSeconds?: number
      maxToolCalls?: number
      maxToolCallsPerMinute?: number
      /**
       * Whether a request that leaves has to match a released call.
       */
      bindCalls?: 'Off' | 'Observe' | 'Require'
      maxDelegationDepth?: number
      /**
       * Labels of a conversation that cannot be linked to an earlier one.
       */
      unlinked?: 'Fresh' | 'Inherit'
    }
    /**
     * What follows a finding that refuses.
     */
    onViolation?: {
      /**
       * Record lets pass; Redact cuts out; Hold waits for an approval; Deny refuses one call; Abort ends the stream; Sever also quarantines.
       */
      action?: 'Record' | 'Redact' | 'Hold' | 'Deny' | 'Abort' | 'Sever'
      /**
       * Other actions for some reasons; the strictest that applies wins.
       */
      rules?: {
        name: string
        /**
         * Reason codes or trailing-* globs.
         */
        reasons: string[]
        action: 'Record' | 'Redact' | 'Hold' | 'Deny' | 'Abort' | 'Sever'
      }[]
      /**
       * A stricter action after repeated violations.
       */
      escalate?: {
        violations: number
        windowSeconds: number
        action: 'Record' | 'Redact' | 'Hold' | 'Deny' | 'Abort' | 'Sever'
      }
    }
    /**
     * What the audit log keeps of payloads.
     */
    audit?: {
      payloads?: 'Redacted' | 'None'
    }
    /**
     * What else in its pod the agent may use.
     */
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
