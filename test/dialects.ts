/**
 * Which promise shows that a dialect keeps a rule of the wire. `docs/reference/dialects.md` is made from this table and from the
 * tests that cite the ids; `requirements.test.ts` fails for an id that no test cites.
 */
export const DIALECTS = ['OpenAI Chat', 'OpenAI Responses', 'Anthropic Messages', 'Gemini', 'MCP', 'A2A'] as const

/** A rule in one line, and the ids for each dialect in the order of {@link DIALECTS}; none = the rule has no sense there. */
export type DialectRule = { readonly rule: string; readonly ids: readonly (readonly string[])[] }

export const DIALECT_RULES: readonly DialectRule[] = [
  {
    rule: 'what is allowed arrives byte for byte, while text streams',
    ids: [['PROMISE-BYTES'], ['RESP-01'], ['ANTHROPIC-01'], ['GEMINI-01'], ['MCP-01', 'MCP-05'], ['PEER-01']],
  },
  {
    rule: 'a call is held whole until it is judged; one of several is refused in its place',
    ids: [
      ['PROMISE-HOLD', 'PROMISE-SIBLINGS'],
      ['RESP-02'],
      ['ANTHROPIC-02'],
      ['GEMINI-02'],
      ['MCP-01', 'MCP-02'],
      ['PEER-02', 'PEER-03'],
    ],
  },
  {
    rule: 'the verdict does not depend on the cut',
    ids: [
      ['PROMISE-CUT'],
      ['RESP-03'],
      ['ANTHROPIC-01', 'ANTHROPIC-02'],
      ['GEMINI-01', 'GEMINI-02'],
      ['MCP-05'],
      ['PEER-03'],
    ],
  },
  {
    rule: 'whatever any client could rebuild counts as a call',
    ids: [
      ['PROMISE-HOLD'],
      ['RESP-05', 'RESP-08'],
      ['ANTHROPIC-03'],
      ['GEMINI-04', 'GEMINI-05'],
      ['MCP-03', 'MCP-04'],
      ['PEER-04'],
    ],
  },
  {
    rule: 'Abort and Sever end the stream with an error that SDKs throw',
    ids: [['PROMISE-CLOSED'], ['RESP-04'], ['ANTHROPIC-02'], ['GEMINI-03'], ['MCP-02'], ['PEER-03']],
  },
  {
    rule: 'only owned endpoints, read strictly',
    ids: [['PROMISE-CLOSED'], ['RESP-12'], ['ANTHROPIC-05'], ['GEMINI-06'], ['MCP-03'], ['PEER-04']],
  },
  {
    rule: 'a member in a second spelling passes in no request, and lets no call out of an answer',
    ids: [
      ['TWIN-01', 'TWIN-02'],
      ['TWIN-01', 'TWIN-02'],
      ['TWIN-01', 'TWIN-02'],
      ['TWIN-01', 'TWIN-02'],
      ['MCP-03'],
      ['PEER-04'],
    ],
  },
  {
    rule: 'tools that the provider runs are granted in the request',
    ids: [['FW-01'], ['RESP-13'], ['ANTHROPIC-04'], ['GEMINI-08'], [], []],
  },
  {
    rule: 'a refused call is put back when its conversation comes again',
    ids: [['PROMISE-SIBLINGS'], ['RESP-10', 'RESP-11'], ['ANTHROPIC-06'], ['GEMINI-07'], [], []],
  },
  {
    rule: 'the official Node SDK reads every passed and every refused stream',
    ids: [['SDK-01'], ['RESP-14'], ['ANTHROPIC-07'], ['GEMINI-10'], ['MCP-01', 'MCP-02'], ['PEER-01', 'PEER-03']],
  },
  {
    rule: 'the official Python SDK reads every passed and every refused stream',
    ids: [['SDK-02'], ['RESP-15'], ['ANTHROPIC-08'], ['GEMINI-11'], [], ['PEER-09']],
  },
  {
    rule: '200 streams at once do not mix',
    ids: [['CHAT-01'], ['RESP-09'], ['ANTHROPIC-09'], ['GEMINI-09'], ['MCP-05'], ['PEER-08']],
  },
  {
    rule: 'results and documents of the history are read whole; a call that was never released is a finding',
    ids: [
      ['HISTORY-01', 'HISTORY-02', 'HISTORY-03'],
      ['HISTORY-02', 'HISTORY-03'],
      ['HISTORY-02', 'HISTORY-03'],
      ['HISTORY-02', 'HISTORY-03'],
      [],
      [],
    ],
  },
  {
    rule: 'what the other side says that it can do is pinned; drift, shadowing, look-alikes, hidden pages and text are findings',
    ids: [[], [], [], [], ['MCP-06', 'MCP-07'], ['PEER-06', 'PEER-07']],
  },
  {
    rule: 'what the other side asks of the agent passes only if it is granted',
    ids: [[], [], [], [], ['MCP-04'], ['PEER-05']],
  },
]
