// Made by "make generate" from crds/agents.sallyport.dev.yaml. Do not edit.

/**
 * One logical agent, run by any number of pods.
 */
export interface Agent {
  apiVersion?: string
  kind?: string
  metadata?: {
    [k: string]: unknown
  }
  /**
   * What a person asks for.
   */
  spec?: {
    /**
     * The ceiling that a person sets. Active releases no hold. Terminated is final.
     */
    state?: 'Active' | 'Quarantined' | 'Suspended' | 'Terminated'
    /**
     * Why; required unless state is Active.
     */
    reason?: string
    /**
     * Holds up to this epoch no longer count. Keep it after the release; without it they count again. A later hold has a higher epoch.
     */
    releaseThroughEpoch?: number
    /**
     * The only service account that may attest as this agent.
     */
    serviceAccountName?: string
    /**
     * With state Terminated: the emergency move, from any state.
     */
    force?: boolean
    /**
     * What deleting this object does to the agent's memory.
     */
    deletionPolicy?: 'Retain' | 'Shred'
  }
  /**
   * What is.
   */
  status?: {
    state?: 'Provisioned' | 'Active' | 'Quarantined' | 'Suspended' | 'Terminated'
    /**
     * The role of the policy that selects it.
     */
    role?: string
    /**
     * Pods that run it now.
     */
    pods?: number
    /**
     * Grows at every move that removes rights.
     */
    epoch?: number
    holds?: {
      epoch: number
      state: string
      source: 'Firewall' | 'Budget' | 'User' | 'Identity'
      code: string
      verdictId?: string
      since: string
    }[]
    acks?: {
      wanted?: number
      received?: number
    }
    budget?: {
      spentUsd?: string
      limitUsd?: string
      percent?: number
    }
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
