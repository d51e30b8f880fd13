/** The seven checks, in the order in which they are asked. DESIGN §6. */
export const CHECKS = ['wire', 'identity', 'grant', 'intent', 'injection', 'data', 'session'] as const

/** One of {@link CHECKS}. */
export type Check = (typeof CHECKS)[number]

/** Position of a check (1 … 7): ties between findings at one offset go to the smaller. */
export function checkNumber(check: Check): number {
  return CHECKS.indexOf(check) + 1
}

/**
 * What a reason is about: one `call`, the `request` before it leaves, or the whole answer `stream`.
 * A call is refused alone (Deny); a stream fault ends the stream (Abort). WIRE.md rule 8.
 */
export type ReasonScope = 'request' | 'call' | 'stream'

/** One row of the reason table: who says it, about what, and what it means to a person. */
export type ReasonRow = { readonly check: Check; readonly scope: ReasonScope; readonly text: string }

const row = (check: Check, scope: ReasonScope, text: string): ReasonRow => ({ check, scope, text })

/**
 * Every reason of a verdict, the closed set. Codes are stable: programs and policies rely on them.
 * `docs/reference/reasons.md` is made from this table.
 */
export const REASONS = {
  WIRE_BODY_TOO_LARGE: row('wire', 'request', 'the request body is larger than the limit'),
  WIRE_REQUEST_MALFORMED: row('wire', 'request', 'the request body is not what this endpoint defines'),
  WIRE_RESTORE_LOST: row('wire', 'request', 'the request goes on from an answer whose refused calls are forgotten'),
  WIRE_ENDPOINT_UNKNOWN: row(
    'wire',
    'request',
    'no API here has this method and path; the message says what the base URL of a client is',
  ),
  WIRE_HEADER_INVALID: row('wire', 'request', 'a header of the message breaks the framing rules'),
  WIRE_CONTENT_TYPE: row('wire', 'stream', 'the content type is not one that this endpoint defines'),
  WIRE_ENCODING_UNSUPPORTED: row('wire', 'stream', 'the content encoding is unknown, stacked or wrong'),
  WIRE_ENCODING_CORRUPT: row('wire', 'stream', 'the compressed body does not decode to its end'),
  WIRE_ENCODING_BOMB: row('wire', 'stream', 'the compressed body grows beyond the limit'),
  WIRE_FRAMING: row('wire', 'stream', 'a client could read the framing of this stream in another way'),
  WIRE_FRAME_TOO_LARGE: row('wire', 'stream', 'one event of the stream is larger than the limit'),
  WIRE_FRAME_MALFORMED: row('wire', 'stream', 'an event of the stream is not the JSON that this endpoint defines'),
  WIRE_AFTER_DONE: row('wire', 'stream', 'the stream goes on after its own end'),
  WIRE_HELD_TOO_LARGE: row('wire', 'stream', 'the stream would have to hold back more bytes than the limit'),
  WIRE_ANSWER_TOO_LARGE: row('wire', 'stream', 'an answer that does not stream is larger than the limit'),
  WIRE_INVALID_UTF8: row('wire', 'call', 'the text is not valid UTF-8, or holds a lone surrogate'),
  WIRE_INVALID_JSON: row('wire', 'call', 'the arguments are not strict JSON'),
  WIRE_DUPLICATE_KEY: row('wire', 'call', 'an object has the same key twice, or twice but for case or Unicode form'),
  WIRE_KEY_FORBIDDEN: row('wire', 'call', 'an object has a key that rewrites its prototype in some clients'),
  WIRE_DEPTH: row('wire', 'call', 'the JSON is nested deeper than the limit'),
  WIRE_NUMBER_RANGE: row('wire', 'call', 'a number is read differently by different clients'),
  WIRE_INVISIBLE_TEXT: row('wire', 'call', 'a tool name or key holds invisible or look-alike characters'),
  WIRE_ARGUMENT_TOO_LARGE: row('wire', 'call', 'the arguments are larger than the limit'),
  WIRE_ARGUMENT_SHAPE: row('wire', 'call', 'the arguments are not one JSON object'),
  WIRE_NAME_SPLIT: row('wire', 'call', 'the tool name came in several pieces, which clients join differently'),
  WIRE_NAME_MISSING: row('wire', 'call', 'the call has no tool name'),
  WIRE_ID_CHANGED: row('wire', 'call', 'the id of the call changed, or came after its arguments'),
  WIRE_INDEX_INVALID: row('wire', 'call', 'the index of the call is not a small whole number'),
  WIRE_CALL_REOPENED: row('wire', 'call', 'a call that was closed went on'),
  WIRE_CALL_TRUNCATED: row('wire', 'call', 'the answer ended inside the call'),
  WIRE_CALL_LIMIT: row('wire', 'call', 'the answer holds more calls than the limit'),
  WIRE_UNKNOWN_SHAPE: row('wire', 'call', 'the call has a shape that this dialect does not define'),
  CHECK_TIMEOUT: row('wire', 'call', 'a check did not finish in its time; doubt denies'),
  CHECK_FAILED: row('wire', 'call', 'a check failed in itself; doubt denies'),
  IDENTITY_TOKEN_UNKNOWN: row('identity', 'request', 'the token belongs to no agent'),
  IDENTITY_AGENT_QUARANTINED: row('identity', 'request', 'the agent is quarantined'),
  IDENTITY_AGENT_SUSPENDED: row('identity', 'request', 'the agent is suspended'),
  IDENTITY_AGENT_TERMINATED: row('identity', 'request', 'the agent is terminated, for good'),
  IDENTITY_AGENT_PROVISIONED: row('identity', 'request', 'the agent was never released: it waits for a person'),
  IDENTITY_AGENT_INACTIVE: row('identity', 'request', 'the agent is not active: it waits for a fresh key'),
  IDENTITY_EPOCH_STALE: row(
    'identity',
    'stream',
    'the agent was revoked, or its policy changed, while the exchange was open',
  ),
  IDENTITY_PROOF_MISSING: row('identity', 'request', 'the request brings no proof of who asks'),
  IDENTITY_PROOF_INVALID: row('identity', 'request', 'the proof, its JWT-SVID or their keys do not verify'),
  IDENTITY_PROOF_AUDIENCE: row('identity', 'request', 'the proof was made for somebody else'),
  IDENTITY_PROOF_EXPIRED: row('identity', 'request', 'the proof is expired, or not valid yet'),
  IDENTITY_PROOF_REQUEST: row('identity', 'request', 'the proof was made for another method, path or body'),
  IDENTITY_PROOF_REPLAYED: row('identity', 'request', 'the proof was used before'),
  IDENTITY_PROOF_STALE: row('identity', 'request', 'the proof rests on an epoch or a policy that no longer counts'),
  IDENTITY_DELEGATION_WIDENED: row('identity', 'request', 'an agent of the chain has more tools than the one before'),
  WIRE_METHOD_UNKNOWN: row('wire', 'call', 'the protocol has no such method'),
  WIRE_HEADER_DISAGREES: row('wire', 'request', 'a header of the request says something else than its body'),
  WIRE_SESSION_UNKNOWN: row('identity', 'request', 'the session was not opened by this agent, or is forgotten'),
  POLICY_NONE_SELECTS: row('grant', 'request', 'no accepted policy selects this agent'),
  MODEL_NOT_GRANTED: row('grant', 'request', 'the model is not granted to this agent'),
  PROVIDER_NOT_GRANTED: row('grant', 'request', 'the provider is not granted to this agent'),
  SERVER_NOT_GRANTED: row('grant', 'request', 'the tool server is not granted to this agent'),
  SERVER_REQUEST_NOT_GRANTED: row('grant', 'call', 'the server asks the agent for something that is not granted'),
  PEER_NOT_GRANTED: row('grant', 'request', 'the other agent is not granted to this agent'),
  PEER_TASK_UNKNOWN: row('identity', 'request', 'the task or context is not of this agent, or is forgotten'),
  PEER_SKILL_NOT_GRANTED: row('grant', 'call', 'the message asks for a skill of the other agent that is not granted'),
  PEER_URL_NOT_GRANTED: row('grant', 'call', 'a file or a notification has an address that is not granted'),
  PEER_CARD_DRIFT: row('grant', 'call', 'the card of the other agent is not as it was when it was pinned'),
  PEER_CARD_SIGNATURE: row('grant', 'call', 'a signature of the agent card does not verify'),
  PEER_CARD_UNVERIFIED: row('grant', 'call', 'a signature of the agent card rests on a key that is not at hand'),
  PEER_CARD_LOOK_ALIKE: row('grant', 'call', 'a name in the agent card looks like another'),
  PEER_CARD_TEXT_HIDDEN: row('injection', 'call', 'the agent card holds text that nobody sees'),
  EGRESS_NOT_GRANTED: row('grant', 'request', 'the host, its port, the method or the path is not granted'),
  EGRESS_NOT_INSPECTABLE: row('wire', 'request', 'the host is granted for inspection, which TLS to it does not allow'),
  EGRESS_OWNED: row(
    'wire',
    'request',
    'the host is that of a provider, tool server or peer, which has a facade of its own',
  ),
  EGRESS_ADDRESS_INVALID: row(
    'wire',
    'request',
    'the address of the host can be read in more than one way, or in none',
  ),
  EGRESS_ADDRESS_REFUSED: row('wire', 'request', 'the host resolves to an address that is not public, nor granted'),
  EGRESS_PATH_INVALID: row('wire', 'request', 'the path can be read in more than one way'),
  UPGRADE_NOT_GRANTED: row('wire', 'request', 'the request asks for an upgrade that no policy opens'),
  TOOL_HOSTED_NOT_GRANTED: row('grant', 'request', 'the request turns on a provider-hosted tool that is not granted'),
  TOOL_NOT_GRANTED: row('grant', 'call', 'the tool is not granted to the role'),
  TOOL_DENIED: row('grant', 'call', 'the tool is denied by a policy'),
  TOOL_IN_TEXT: row('grant', 'call', 'the call was written as text'),
  TOOL_DRIFT: row('grant', 'call', 'the tool is not as it was when its server was pinned'),
  TOOL_SHADOWED: row('grant', 'call', 'a tool has the name of one that another server had first, or a name twice'),
  TOOL_LOOK_ALIKE: row('grant', 'call', 'the name of a tool looks like that of another'),
  TOOL_PAGE_HIDDEN: row('grant', 'call', 'the list of tools has no end that a person would reach'),
  TOOL_TEXT_HIDDEN: row('injection', 'call', 'the description of a tool holds text that nobody sees'),
  ARGUMENT_SCHEMA: row('grant', 'call', 'the arguments do not match the schema of the grant'),
  ARGUMENT_RULE: row('grant', 'call', 'the arguments break a rule of the grant'),
  INTENT_SQL_READ: row('intent', 'call', 'the call reads a database, which is not allowed'),
  INTENT_SQL_WRITE: row('intent', 'call', 'the call writes to a database, which is not allowed'),
  INTENT_SQL_DDL: row('intent', 'call', 'the call changes a database structure or its rights, which is not allowed'),
  INTENT_SQL_UNPARSABLE: row('intent', 'call', 'the SQL does not parse, so nobody can say what it does'),
  INTENT_SQL_TOO_LARGE: row('intent', 'call', 'the SQL is larger than the limit'),
  INTENT_SHELL_EXEC: row('intent', 'call', 'the call runs a program, which is not allowed'),
  INTENT_FS_READ: row('intent', 'call', 'the call reads files, which is not allowed'),
  INTENT_FS_WRITE: row('intent', 'call', 'the call writes files, which is not allowed'),
  INTENT_FS_DELETE: row('intent', 'call', 'the call deletes files, which is not allowed'),
  INTENT_FS_SHARE: row('intent', 'call', 'the call shares files, which is not allowed'),
  INTENT_NET_EGRESS: row('intent', 'call', 'the call sends to the network, which is not allowed'),
  INTENT_VCS_PUSH: row('intent', 'call', 'the call pushes to a repository, which is not allowed'),
  INTENT_MAIL_SEND: row('intent', 'call', 'the call sends mail, which is not allowed'),
  INTENT_MAIL_DELETE: row('intent', 'call', 'the call deletes mail, which is not allowed'),
  INTENT_MESSAGE_SEND: row('intent', 'call', 'the call sends a message, which is not allowed'),
  INTENT_CALENDAR_WRITE: row('intent', 'call', 'the call changes a calendar, which is not allowed'),
  INTENT_BOOKING_WRITE: row('intent', 'call', 'the call books, which is not allowed'),
  INTENT_MONEY_MOVE: row('intent', 'call', 'the call moves money, which is not allowed'),
  INTENT_ACCOUNT_WRITE: row('intent', 'call', 'the call changes an account, which is not allowed'),
  INTENT_AGENT_DELEGATE: row('intent', 'call', 'the call hands work to another agent, which is not allowed'),
  INTENT_CUSTOM: row('intent', 'call', 'the call has a declared effect (custom.*) which is not allowed'),
  SESSION_CALL_UNKNOWN: row('session', 'request', 'the history holds a tool call that this agent was never given'),
  AUDIT_UNAVAILABLE: row('wire', 'request', 'the verdict could not be written down, so nothing is let through'),
} as const satisfies Readonly<Record<string, ReasonRow>>

/** A stable reason code: a key of {@link REASONS}. */
export type Reason = keyof typeof REASONS

/** The row of a reason. */
export function reasonRow(reason: Reason): ReasonRow {
  return REASONS[reason]
}

/** True for a string that is a reason code. */
export function isReason(text: string): text is Reason {
  return Object.hasOwn(REASONS, text)
}
