/**
 * rpc: gRPC services on sockets that somebody else opened, with the messages of `proto`.
 *
 * In:  a service of `proto/gen`, one function for each of its methods, and connections.
 * Out: requests read and answers written as the service defines them; streams that wait for a slow reader; one gRPC status for each
 *      error code.
 * Messages, streams and metadata are bounded. A method that is not there is UNIMPLEMENTED; a fault without a code is INTERNAL, and
 * says nothing more.
 *
 * Never: listens, knows who calls, logs a message.
 */
export { grpcStatusOf } from './codes.ts'
export { newRpcServer, type RpcCall, type RpcHandlers, type RpcServer, type RpcServerOptions } from './server.ts'
