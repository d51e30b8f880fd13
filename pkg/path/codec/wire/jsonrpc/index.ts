/**
 * wire/jsonrpc: one JSON-RPC 2.0 message, and the errors that are refusals.
 *
 * In:  a JSON value that was read strictly; the text of a refusal.
 * Out: the message by what it is, or null for what two readers could take for two things; error objects with the reason
 *      and the verdict that they rest on, by codes that MCP and A2A share.
 *
 * Never: a method that it knows, a batch, a socket.
 */
export { CODES, codeOf, errorOf, faultOf, type Marks, marksOf } from './refusals.ts'
export { hasTwin, type Id, idKey, type Rpc, type RpcOf, rpcOf } from './rpc.ts'
