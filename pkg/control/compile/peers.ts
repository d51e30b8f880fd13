import { type CallerGrant, isGlob, type PeerGrant } from '#pkg/model'
import type { AgentPolicy } from '#pkg/model/api'
import type { FieldPath, Resource } from '#pkg/platform/resources'
import type { Report } from './contract.ts'
import { faultOfUrl, isPathName } from './servers.ts'

/** Reports what is wrong with `a2a`. */
export function checkPeers(spec: AgentPolicy['spec'], report: Report): void {
  for (const [index, { name }] of (spec.a2a?.inbound ?? []).entries()) {
    if (isPathName(name)) continue
    const words = `"${name}" is no name of a caller: letters, digits, ".", "_" and "-", not "." first`
    report(['spec', 'a2a', 'inbound', index, 'name'], 'Invalid', words)
  }
  for (const [index, peer] of (spec.a2a?.outbound ?? []).entries()) {
    const at: FieldPath = ['spec', 'a2a', 'outbound', index]
    if (!isPathName(peer.name)) {
      const words = `"${peer.name}" is no name of a peer: letters, digits, ".", "_" and "-", not "." first`
      report([...at, 'name'], 'Invalid', words)
    }
    const wrong = faultOfUrl(peer.url, 'https://research.example/a2a')
    if (wrong !== null) report([...at, 'url'], 'Invalid', `"url" ${wrong}`)
    for (const [place, skill] of (peer.skills ?? []).entries()) {
      if (isGlob(skill)) continue
      const words = `"${skill}" has a "*" that is not at its end; exact names and trailing-* globs are known`
      report([...at, 'skills', place], 'Invalid', words)
    }
  }
}

/** The peers of a policy without faults. */
export function peersOf(resource: Resource<AgentPolicy>): readonly PeerGrant[] {
  return (resource.value.spec.a2a?.outbound ?? []).map(({ name, agent, url, skills }, index) => ({
    source: { policy: resource.key, path: `a2a.outbound[${index}]` },
    name,
    agent: { namespace: agent.namespace, name: agent.name },
    url,
    skills: skills ?? [],
  }))
}

/** Those who may call the agents of a policy without faults. */
export function callersOf(resource: Resource<AgentPolicy>): readonly CallerGrant[] {
  return (resource.value.spec.a2a?.inbound ?? []).map(({ name, agent }, index) => ({
    source: { policy: resource.key, path: `a2a.inbound[${index}]` },
    name,
    agent: { namespace: agent.namespace, name: agent.name },
  }))
}
