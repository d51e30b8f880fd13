import type { Rpc } from '#pkg/path/codec/wire/jsonrpc'

export { hasTwin, type Id, idKey, type Rpc, rpcOf } from '#pkg/path/codec/wire/jsonrpc'

/** What a request of MCP says: its answers are read by it. It stands in the view as the parsed body. */
export type McpRequest = {
  readonly messages: readonly Rpc[]
  readonly isBatch: boolean
  readonly stateless: boolean
}
