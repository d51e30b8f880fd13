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
  /**
   * What the selected agents may do, and what happens when they try something else.
   */
  spec: {
    /**
     * Which agents, by the labels of their pods. Empty selects every meshed pod of this namespace.
     */
    selector: {
      /**
       * Labels that must have exactly these values.
       */
      matchLabels?: {
        [k: string]: string
      }
      /**
       * Conditions on labels; all of them must hold.
       */
      matchExpressions?: {
        /**
         * Name of the label.
         */
        key: string
        /**
         * How the label is compared with the values.
         */
        operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
        /**
         * For In and NotIn; not given for Exists and DoesNotExist.
         */
        values?: string[]
      }[]
    }
    /**
     * Only in the operator's namespace: makes this policy a ceiling for the selected namespaces.
     */
    namespaceSelector?: {
      /**
       * Labels that must have exactly these values.
       */
      matchLabels?: {
        [k: string]: string
      }
      /**
       * Conditions on labels; all of them must hold.
       */
      matchExpressions?: {
        /**
         * Name of the label.
         */
        key: string
        /**
         * How the label is compared with the values.
         */
        operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
        /**
         * For In and NotIn; not given for Exists and DoesNotExist.
         */
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
          /**
           * Always holds each call until somebody approves it.
           */
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
            /**
             * Name of the rule, as verdicts print it.
             */
            name: string
            /**
             * CEL expression that must be true.
             */
            expression: string
            /**
             * What a refusal says when the rule does not hold.
             */
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
        /**
         * Only through this mcp.servers entry; empty = every tool of that name.
         */
        server?: string
      }[]
    }
    /**
     * Actions that this agent writes as text.
     */
    textTools?: {
      /**
       * Info string of a code fence that is an action, such as bash.
       */
      fence?: string
      /**
       * Name of a tag that is an action, such as tool_call.
       */
      tag?: string
    }[]
    /**
     * What the agent may do at all; an unlisted intent is denied.
     */
    intents?: {
      /**
       * Intents, or trailing-* globs of them, that are allowed.
       */
      allow?: string[]
      /**
       * Intents, or trailing-* globs of them, that are refused whatever else allows them.
       */
      deny?: string[]
    }
    /**
     * How calls are judged once the session has read untrusted content.
     */
    whenTainted?: {
      /**
       * How strictly arguments are judged by where their values come from.
       */
      mode?: 'Graded' | 'RequireTrustedArguments' | 'Approve' | 'Deny'
      /**
       * Intents that are judged more strictly.
       */
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
      /**
       * Name of the rule, as verdicts print it.
       */
      name: string
      /**
       * Kinds of data, such as CreditCardNumber or Secret.
       */
      kinds?: string[]
      /**
       * RE2, length-bounded.
       */
      pattern?: string
      /**
       * Absent = all.
       */
      directions?: ('ToModel' | 'FromModel' | 'ToTool' | 'FromTool' | 'ToPeer' | 'FromPeer' | 'ToHost')[]
      /**
       * What follows when such data is found.
       */
      action: 'Record' | 'Redact' | 'Hold' | 'Deny' | 'Abort' | 'Sever'
    }[]
    /**
     * Model providers; absent = no model.
     */
    llm?: {
      /**
       * Providers that may be asked.
       */
      providers?: {
        /**
         * Name of the entry, as --upstream and verdicts use it.
         */
        name: string
        /**
         * Whose API it is.
         */
        type: 'OpenAI' | 'Anthropic' | 'Gemini' | 'OpenAICompatible'
        /**
         * Required for OpenAICompatible.
         */
        host?: string
        /**
         * The ProviderKey; without one the key comes from the environment (standalone only).
         */
        keyRef?: {
          /**
           * Name of the ProviderKey.
           */
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
          /**
           * HTTP method.
           */
          method: string
          /**
           * Path below the provider's base URL.
           */
          path: string
          /**
           * Protocol that the connection may be upgraded to.
           */
          upgrade?: 'websocket'
        }[]
      }[]
      /**
       * The choice of a model by price and quality.
       */
      router?: {
        /**
         * Model names that stand for a choice, such as auto.
         */
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
      /**
       * MCP servers that may be used.
       */
      servers?: {
        /**
         * Name of the entry, as tools.allow and --mcp use it.
         */
        name: string
        /**
         * Address of the server.
         */
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
        /**
         * JwtSvid sends the agent's own token to the server.
         */
        identity?: 'None' | 'JwtSvid'
      }[]
    }
    /**
     * Other agents; both ends must agree. Absent = none.
     */
    a2a?: {
      /**
       * Agents that this one may call.
       */
      outbound?: {
        /**
         * Name of the entry, as --a2a and verdicts use it.
         */
        name: string
        /**
         * The agent at the other end.
         */
        agent: {
          /**
           * Its namespace.
           */
          namespace: string
          /**
           * Its name.
           */
          name: string
        }
        /**
         * Address of its A2A endpoint.
         */
        url: string
        /**
         * Absent = none.
         */
        skills?: string[]
        /**
         * What the peer gets of this agent's rights.
         */
        delegate?: {
          /**
           * Tools that the peer may use on behalf of this agent.
           */
          tools?: string[]
          /**
           * US dollars as a decimal string.
           */
          usd?: string
        }
        /**
         * Open lets gRPC pass, which is not inspected.
         */
        grpc?: 'Open' | 'Refuse'
      }[]
      /**
       * Agents that may call this one.
       */
      inbound?: {
        /**
         * Name of the entry, as verdicts print it.
         */
        name: string
        /**
         * The agent at the other end.
         */
        agent: {
          /**
           * Its namespace.
           */
          namespace: string
          /**
           * Its name.
           */
          name: string
        }
        /**
         * Open lets gRPC pass, which is not inspected.
         */
        grpc?: 'Open' | 'Refuse'
      }[]
    }
    /**
     * Other hosts; absent = none.
     */
    egress?: {
      /**
       * Name of the entry, as verdicts print it.
       */
      name: string
      /**
       * Exact host names, or IP addresses.
       */
      hosts: string[]
      /**
       * TCP ports.
       */
      ports?: number[]
      /**
       * HTTP methods.
       */
      methods?: string[]
      /**
       * A path has to be one of these, or below it.
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
      /**
       * TCP port on the loopback of the pod.
       */
      port: number
      /**
       * How it is inspected; opaque = not at all.
       */
      protocol: 'opaque' | 'http' | 'mcp'
    }[]
    /**
     * Callers outside the mesh; absent = none.
     */
    inbound?: {
      /**
       * Ports that callers outside the mesh may reach without mutual TLS.
       */
      plaintextPorts?: number[]
    }
    /**
     * Spending limits; absent = the default of the installation.
     */
    budgets?: {
      /**
       * Name of the budget, as verdicts print it.
       */
      name: string
      /**
       * What is added up: all that the agent spends, or one session.
       */
      scope: 'Agent' | 'Session'
      /**
       * When the sum begins anew.
       */
      period?: 'Month' | 'Day'
      /**
       * US dollars as a decimal string.
       */
      usd: string
      /**
       * From this share of the limit on a cheaper model is used.
       */
      downgradeAtPercent?: number
      /**
       * The router alias that is used then.
       */
      downgradeTo?: string
      /**
       * At this share of the limit the agent is quarantined.
       */
      quarantineAtPercent?: number
    }[]
    /**
     * What the agent may keep; the default is nothing.
     */
    memory?: {
      /**
       * Whether the agent may read and write its memory.
       */
      access?: 'ReadWrite' | 'Read' | 'None'
      /**
       * Whether one session may read what another wrote.
       */
      crossSession?: 'Explicit' | 'Denied'
      /**
       * Whether vectors of the content are kept for search.
       */
      vectorIndex?: 'Obfuscated' | 'None'
      /**
       * Days after which content is deleted; absent = kept.
       */
      retentionDays?: number
    }
    /**
     * Bounds of one session.
     */
    session?: {
      /**
       * Seconds without traffic after which a session ends.
       */
      idleTimeoutSeconds?: number
      /**
       * Calls of one session.
       */
      maxToolCalls?: number
      /**
       * Calls of one session in a minute.
       */
      maxToolCallsPerMinute?: number
      /**
       * Whether a request that leaves has to match a released call.
       */
      bindCalls?: 'Off' | 'Observe' | 'Require'
      /**
       * How many agents may stand in a chain of delegation.
       */
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
       * Record lets pass; Deny refuses one call; Abort ends the stream; Sever also quarantines. Not carried out yet and refused as UnsupportedField are Redact (cuts out) and Hold (waits for an approval).
       */
      action?: 'Record' | 'Redact' | 'Hold' | 'Deny' | 'Abort' | 'Sever'
      /**
       * Other actions for some reasons; the strictest that applies wins.
       */
      rules?: {
        /**
         * Name of the rule, as verdicts print it.
         */
        name: string
        /**
         * Reason codes or trailing-* globs.
         */
        reasons: string[]
        /**
         * What follows a finding with such a reason.
         */
        action: 'Record' | 'Redact' | 'Hold' | 'Deny' | 'Abort' | 'Sever'
      }[]
      /**
       * A stricter action after repeated violations.
       */
      escalate?: {
        /**
         * So many refusals …
         */
        violations: number
        /**
         * … within so many seconds …
         */
        windowSeconds: number
        /**
         * … are followed by this.
         */
        action: 'Record' | 'Redact' | 'Hold' | 'Deny' | 'Abort' | 'Sever'
      }
    }
    /**
     * What the audit log keeps of payloads.
     */
    audit?: {
      /**
       * Whether the audit log holds payloads, with personal data cut out.
       */
      payloads?: 'Redacted' | 'None'
    }
    /**
     * What else in its pod the agent may use.
     */
    pod?: {
      /**
       * Whether the pod may reach the Kubernetes API.
       */
      kubernetesApi?: 'Allow' | 'Deny'
      /**
       * Volumes that the agent may share with other containers.
       */
      sharedVolumes?: string[]
      /**
       * Open serves the SPIFFE Workload API to the agent, private key and all.
       */
      workloadApi?: 'Open' | 'Closed'
      /**
       * Further certificate authorities that upstream TLS may rest on.
       */
      extraRoots?: {
        /**
         * Name of the ConfigMap.
         */
        configMap: string
        /**
         * Key of the PEM bundle in it.
         */
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
