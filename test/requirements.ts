/**
 * Every promise, by id. A test cites the id in its name; `requirements.test.ts` fails for an id that no test cites.
 */
export const REQUIREMENTS: Readonly<Record<string, string>> = {
  'PROMISE-HOLD': 'No tool call proposed by a model reaches the agent before its verdict.',
  'PROMISE-BYTES': "What was allowed arrives as the provider's own bytes.",
  'PROMISE-CUT': 'The verdict does not depend on how the stream was cut.',
  'PROMISE-SIBLINGS': 'One refused call leaves its siblings and the conversation usable, and no client crashes on it.',
  'PROMISE-KEYS': 'The agent never holds a provider key; its own token never leaves this machine.',
  'PROMISE-SEVER': 'A severed agent is refused from then on, also after a restart, until a person releases it.',
  'PROMISE-CLOSED': 'Lost policy, overload, a late or failing check, a full disk: closed, with a reason that says so.',
  'PROMISE-RECORD': 'Every verdict is written down before it takes effect.',
  'PROMISE-BOUNDED': 'Every buffer has a limit, and a reader that stops does not fill this process.',
  'LIMIT-01': 'Each cap holds at its value and refuses one above.',
  'CHAT-01': '200 Chat streams at once never mix.',
  'CHAT-02': 'A chunk that is like one before it says the same as it says alone.',
  'SDK-01': 'The official Node SDK reads every passed and every refused stream as the contract says.',
  'SDK-02': 'The official Python SDK reads every passed and every refused stream as the contract says.',
  'HISTORY-01':
    'A call that was released is known when it comes back, however its client wrote it, and by its agent alone.',
  'HISTORY-02':
    'A call in a history that was never released is on record, or refused where a rule says so, in every dialect.',
  'HISTORY-03': 'Results and documents of a history are read whole, each text with its place, in every dialect.',
  'TWIN-01':
    'A request with a member in a second spelling, beside the one that is read or in its place, is refused in every dialect.',
  'TWIN-02':
    'Of a refused call nothing leaves, in whatever spelling the members of an answer stand, alone or beside themselves.',
  'RESP-01':
    'Responses: what was allowed arrives byte for byte, in every framing and cut; what the provider ran itself is no call.',
  'RESP-02':
    'Responses: a refused call is a whole message at its place; numbers have no gap, and snapshots tell what was released.',
  'RESP-03': 'Responses: verdicts and released bytes do not depend on the cut.',
  'RESP-04': 'Responses: Abort and Sever end the stream with an error event that SDKs throw.',
  'RESP-05': 'Responses: a call is judged under every reading that any client has of it, echoes and strangers too.',
  'RESP-06': 'Responses: a call that is broken off is refused.',
  'RESP-07': 'Responses: an answer that does not stream is judged whole.',
  'RESP-08': 'Responses: a call written as text is cut out of all that tells it.',
  'RESP-09': 'Responses: answers at the same time do not mix.',
  'RESP-10': 'Responses: a refused call is put back where its conversation goes on, with its refusal as its result.',
  'RESP-11': 'Responses: what is fetched, cancelled or taken up again is judged like a first delivery.',
  'RESP-12': 'Responses: only owned endpoints, read strictly.',
  'RESP-13': 'Responses: tools that the provider runs are granted in the request.',
  'RESP-14':
    'Responses: the official Node SDK reads every passed and every refused stream, raw and through its helper.',
  'RESP-15': 'Responses: the official Python SDK reads every passed and every refused stream.',
  'ARCH-01': 'Imports follow the table of ARCHITECTURE.md, by the faces, without a circle.',
  'ARCH-02': 'Each room says at its door what it is; no drawers, no long files.',
  'ARCH-03': 'Only settings reads the environment; the judging rooms do no I/O.',
  'NET-01': 'What follows the facade base is appended to the base URL, with the key.',
  'NET-02': "An agent's token is never sent upstream.",
  'NET-03': 'A stale permit opens nothing.',
  'NET-04': 'A chunk is handed over before the next is sent.',
  'NET-05': 'Every byte arrives, in order, however it is cut.',
  'NET-06': 'Connections are kept and used again, one exchange at a time.',
  'NET-07': 'A cancel closes the connection at once.',
  'NET-08': 'A reader that stops, stops the provider.',
  'NET-09': 'Each way in which a provider breaks off has its code.',
  'NET-10': 'A fault names its likely cause.',
  'NET-11': 'TLS is verified.',
  'SIM-01': 'every conversation of the simulator is read event for event by the official openai SDK',
  'SIM-02': 'streamed and whole, the SDK ends with the same message',
  'SIM-03': 'the simulated model calls only tools that the request declares and allows',
  'SIM-04': 'n choices take turns in the stream, and each is whole',
  'SIM-05': 'usage is sent as the provider sends it, and equals the tokens written',
  'SIM-06': 'max_tokens cuts text and calls exactly there and says length',
  'SIM-07': "a bad request is refused in the provider's own error shape, and never ends the simulator",
  'SIM-08': 'models, embeddings and the API key work as the SDK expects',
  'SIM-09': 'a client that leaves is seen at once, and only tokens that were written are counted',
  'SIM-10': 'the same request gets the same bytes while the clock stands; what is remembered is bounded',
  'SIM-12': 'the simulator speaks Responses, Messages and Gemini to their official SDKs, and refuses broken histories',
  'SIM-11': 'whatever is asked is answered in a shape that the provider has',
  'COMPAT-01':
    'a provider of type OpenAICompatible has a facade, a grant and a key of its own, and is reached at the host of its first entry or at --upstream',
  'COMPAT-02':
    'what has a request answered by another model, at another place, or with something that runs there is granted by name',
  'FRAME-01': 'the bytes of an unfinished event are kept once, in blocks, and come back in one piece',
  'FRAME-02': 'an event of several MiB that is large because of a picture passes byte for byte, however it is cut',
  'FRAME-03':
    'an event that is large in any other way, or larger than frameBytes, is refused before it is read at once',
  'FRAME-04': 'unfinished events beyond heldBytesPerStream count for the process, and what has no room is refused',
  'ARRAY-01': 'a streamed JSON array is read element for element, however it is cut, and no byte is lost',
  'ARRAY-02': 'what is no array of objects, or an element over the limit, is a fault, and its end never leaves',
  'ARRAY-03': 'what we put into a streamed array leaves it a legal one',
  'GEMINI-01': 'an allowed Gemini answer passes byte for byte in every framing, as events, as an array and whole',
  'GEMINI-02': 'a refused Gemini call becomes text in its place; its siblings and their signatures stay',
  'GEMINI-03': 'Abort, Sever and a provider that breaks off end a Gemini stream with an error its framing can hold',
  'GEMINI-04': 'no Gemini client can rebuild a forbidden call from any shape, spelling or framing',
  'GEMINI-05': 'Gemini arguments in pieces are built only where every client builds the same',
  'GEMINI-06': 'only owned Gemini endpoints, queries and request shapes are let through, and read under both spellings',
  'GEMINI-07': 'refused Gemini calls go back exactly, with their signatures, and the refusal as their result',
  'GEMINI-08': 'hosted Gemini tools are judged in the request',
  'GEMINI-09': 'no Gemini stream sees a byte of another',
  'GEMINI-10':
    'the official Gemini SDK for Node reads every passed and every refused answer, and its conversation goes on',
  'GEMINI-11':
    'the official Gemini SDK for Python reads every passed and every refused answer, and its conversation goes on',
  'FUZZ-01': 'every fuzz target holds on its seeds and on mutations of them',
  'FUZZ-02': 'a fuzz run can be repeated from its seed',
  'DEMO-01':
    'make demo shows allow, refuse, abort, parallel calls, sever with its release, and a record that shows what was changed, on real clients and a real database, and checks each line before it prints it',
  'DEMO-02': 'the demo leaves no process and no folder behind, whatever ends it',
  'BENCH-01': 'the bench measures the work that docs/performance.md describes',
  'BENCH-03': 'what identities cost is measured beside the bare signature or verification of the same bytes',
  'BENCH-02': 'bench figures are computed and judged as docs/performance.md says',
  'ADM-01': 'the admin API over TCP answers only a request that carries the bearer token of this very start',
  'ADM-02': 'no web page can make a browser ask the admin API: the Host must be this listener, no CORS header is sent',
  'ADM-03': "the admin socket is 0600 from its first moment; an agent's token is shown over it alone",
  'ADM-04': 'a stale admin socket is replaced, a live one or another file is refused; a port in use is said by name',
  'ADM-05': 'an unknown path, method, parameter or value is a JSON error with a stable code; nothing internal shows',
  'ADM-06': 'agents, health, version and effective policies with provenance can be read',
  'ADM-07': 'each verdict is one JSON line with exactly the fields of the contract, oldest first, filtered as asked',
  'ADM-08': 'a follower gets the history and then what comes, each record once, in order, without a gap',
  'ADM-09': 'a follower that does not read is bounded and told that it lost records; it holds nobody up',
  'ADM-10': 'explain says which rule would decide a call and writes nothing; bodies are bounded and strict',
  'ADM-11':
    'a verb is a POST with a JSON body that is read strictly; it goes to the plane with who asks, and its refusal has its own code',
  'ADM-12':
    'server-sent events tell each verdict with its id and the fields of the contract, and show that the stream lives',
  'ADM-13':
    'Last-Event-ID goes on after that record, each once, in order, without a gap; an id that is not known is one reset',
  'ADM-14':
    'each change of the life or the rules of an agent is an event with the agent as it is then, without its token',
  'ADM-15': 'the summary counts agents by state, and verdicts since the start by action and by check',
  'ADM-16': 'the OpenAPI document is made from the table of routes: each route, parameter, status and code is in it',
  'ADM-17': 'every answer of the admin API fits the schema that the document has for it, and every body its own',
  'ADM-18': 'schemathesis finds no answer of a real process that breaks the document, and no bad request that is taken',
  'MET-01': 'metrics are named, explained and labelled as Prometheus asks, in base units',
  'MET-02': 'no label of a metric takes what an agent or a policy names; each has a closed set',
  'MET-03': 'every metric of the catalogue is written by something',
  'MET-04': 'a process counts by itself, and a scrape shows it as it is then',
  'MET-05': 'what is counted before the library of metrics is there is in the first scrape, once',
  'MET-06': '/metrics is open on the socket, and wants the token over TCP; what happens in a real process shows there',
  'CLI-01': 'version and completion start within 150 ms, and no command loads what it does not use',
  'CLI-02': 'every exit status is one of 0, 1, 64, 65, 69, 77 and means what docs/reference/cli.md says',
  'CLI-03': 'no control or bidi character of an agent reaches the terminal, in any output format',
  'CLI-04':
    '`up -o json` says in its first line where it listens and which tokens agents have; SIGTERM drains and exits 0',
  'CLI-05': 'bad policies end `up` and `policy check` with 65 and file:line:column of every fault',
  'CLI-06':
    'the verbs find the process by its socket, or by --address with SALLYPORT_ADMIN_TOKEN, and say what to do when there is none',
  'CLI-07': '`verdicts` prints the history and ends; with --follow it goes on; -o json is one object a line',
  'CLI-08': '`policy explain` names the deciding rule and policy, and what would change the answer',
  'CLI-09': 'docs/reference/cli.md lists exactly the commands and options that exist',
  'CLI-11':
    'the verbs of a life ask for one move bound to the epoch that was seen, wait until all have followed, and never call a partial stop a success',
  'CLI-10': `./sallyctl runs from a clone on the project's own Node, and without libraries says "make setup" and exits 69`,
  'FIRST-01':
    'up without a folder of policies makes a starter that passes policy check, says so, and overwrites nothing',
  'FIRST-02': 'up --simulate streams prepared answers of every provider through the judge, and sends no key anywhere',
  'CLI-12':
    'run gives a program addresses, its token and a proxy in the place of every provider key, hands signals on, and keeps its exit status',
  'CLI-13': 'run ends with a summary of the verdicts of its own time, in words or as one line of JSON',
  'CLI-14':
    'policy suggest prints a policy that passes policy check, under which the agent can do again what it did, and nothing that was refused or wider than before',
  'CLI-15':
    'what is noted for policy suggest is bounded, and keeps no value that changes, is long, or looks like a secret',
  'CLI-16':
    'check names all that stands in the way of up, each with its cause, its fix and where to read more, and sends no key',
  'CLI-17':
    'bug-report lists what is in it before it writes, overwrites nothing, and holds no key, token, name or text of an agent',
  'CLI-18': 'each verb prints one JSON value (or one a line) with -o json, and progress stands on a terminal alone',
  'FIRST-03':
    'the npm package holds one bundle that runs without node_modules, a launcher for any Node, and no source and no test',
  'FIRST-04': 'the Quick start of the README is what the script of the first minutes runs',
  'MCP-01':
    'a granted call of an MCP tool reaches its server as it was written, and the answer comes back byte for byte',
  'MCP-02':
    'a refused call of an MCP tool never reaches its server; its refusal is a tool result that MCP clients read',
  'MCP-03': 'an MCP server, method, session or header that is not granted, known, owned or in agreement is refused',
  'MCP-04': 'what an MCP server asks of the agent passes only if its entry grants it; else the server is told so',
  'PEER-01':
    'A2A of both versions and bindings goes through as it is: what is granted arrives byte for byte, on the record',
  'PEER-02': 'a message to a peer that may not be sent never leaves, and its refusal is an error that clients read',
  'PEER-03': 'what a peer says that is refused becomes a rejected task, or an error; no cut changes bytes or verdicts',
  'PEER-04': 'a path, method, version, body or answer of A2A that is not known, or has two readings, is refused',
  'PEER-05': 'tasks and contexts of a peer belong to one agent; addresses for files and notifications are judged',
  'PEER-06': 'cards of peers are pinned, lead to the facade and tell of granted skills; drift and deceit are refused',
  'PEER-07': 'signatures of agent cards are verified by the key that they bring; no key is fetched',
  'PEER-08': 'streams of peers at the same time do not mix',
  'PEER-09': 'the official Python SDK of A2A reads what passes and what is refused',
  'MCP-05': 'no cut or framing of an answer of an MCP server changes its bytes or a verdict',
  'MCP-06': 'the tools of an MCP server are pinned; drift, shadowing, look-alikes, hidden pages and text are findings',
  'MCP-07': 'pins last, tell places and no payload, and are never lost in silence',
  'EXPR-01': 'a CEL rule of a policy judges arguments, agent and tool; what errs or is no bool does not hold',
  'EXPR-02':
    'an expression with a fault (syntax, unknown name or function, no bool, too long, too deep) is refused when it compiles, by name',
  'EXPR-03':
    'no pattern, macro or unique-items check of a policy takes more than linear or capped time on hostile arguments',
  'EXPR-04': 'a rule or schema is compiled once, whoever shares it',
  'EXPR-05': 'a JSON Schema 2020-12 judges arguments and tells where and which keyword, never the payload',
  'EXPR-06':
    'a schema with a remote reference, an unknown keyword, format or RE2-less pattern is refused when it compiles',
  'FW-01':
    'a request leaves only for an active agent, with its provider, model and hosted tools granted; hosted mcp needs a granted server and approval always',
  'FW-02': 'a tool is refused at its name unless an allow entry matches; deny wins; no policy refuses all',
  'FW-03': 'a tool name with invisible or look-alike characters is refused whatever is granted',
  'FW-04': 'arguments are one strict JSON object, in strings too where JSON stands in them',
  'FW-05': 'schema and CEL rules of the entry must hold, and what does not compile grants nothing',
  'FW-06': 'each allow entry is judged whole; parts of two entries never make one',
  'FW-07': 'the effects that a call declares and shows must be within its entry, allowed, and not denied',
  'FW-08':
    'SQL counts wherever it stands in the arguments, nested and in JSON in strings, and prose is not taken for it',
  'FW-16':
    'a proposal rests on entries without a server, and on those of a server only where that server judges the call again',
  'FW-09': 'a custom tool is judged as {input}',
  'FW-10':
    'a forbidden class of SQL statement is refused at the byte that fixes it, unless an entry could still allow it',
  'FW-11': 'arguments, SQL and depth over their caps are refused at that byte',
  'FW-12': 'the finding that decides is the same for every cutting of the arguments',
  'FW-13': "a tool's name is printed only if the policy writes it or the request declares it plainly",
  'FW-14': 'snapshots share what was compiled for them, and no finding holds payload',
  'TXT-01': 'a call written with a well-known call tag, in any usual spelling of it, is judged like a call',
  'TXT-02': 'a tag without a call behind it, and code fences that no policy declares, are plain text',
  'TXT-03': 'fences and tags that a policy declares are calls from their opening to their close',
  'TXT-04': 'a text call that is open when the answer ends is refused',
  'TXT-05': 'a text call that can be read in two ways, or in none, is refused',
  'TXT-06': 'plain text leaves at once; what may become a call is held for no more than its window',
  'TXT-07': 'a text call over the argument cap is refused there',
  'TXT-08': 'which text calls are found does not depend on how the text is cut',
  'TXT-09': 'hostile text costs linear time',
  'HTTP-01':
    'a request target has one reading or is refused: origin form, no dot or empty segment, no ambiguous or broken escape, no fragment, no token',
  'HTTP-02':
    "a request's end has one answer or is refused: no repeated framing header, no length with transfer-encoding, only exactly `chunked`, no upgrade",
  'HTTP-03': 'a request body is application/json in UTF-8, and says so once',
  'HTTP-04':
    "the agent's token is read from where the SDKs put an API key; another key, or two different tokens, is none",
  'HTTP-05':
    "upstream go the agent's own headers, never credentials, hop-by-hop headers, addresses or anything that holds a token; identity is asked for",
  'HTTP-06':
    "to the client go the provider's headers, never framing, coding, cookies, alt-svc or forged x-sallyport-* headers",
  'HTTP-07':
    'only an answer that every client reads alike has a kind: one event stream or one JSON text in UTF-8, or nothing; redirects and parts have none',
  'ENC-01':
    'identity, gzip, deflate, br and zstd decode to the same bytes in every cut; identity without a copy or a wait',
  'ENC-02': 'what the sender flushed comes out of the very push that brings it',
  'ENC-03': 'a coded body that is cut short, changed, or has bytes behind its end is corrupt, in every cut',
  'ENC-04': 'growth above 1 MiB is bounded by the ratio, output by the cap, memory by the window',
  'ENC-05': 'unknown, stacked and dictionary codings are not supported',
  'ENC-06': 'a request body is capped both as sent and as decoded',
  'ICPT-01':
    'a request arrives whole: facade, path below its base, query, headers, token, body; a path below no base reaches the plane too',
  'ICPT-02': 'however a request is cut by the transport, and in whatever coding its body comes, it is the same request',
  'ICPT-03':
    'what breaks the framing is refused through the plane, with its reason and before anything is answered, or is no HTTP and gets 400; the connection closes and what follows is no request',
  'ICPT-04': 'bodies are capped at the byte, each and all together; their sender gets to read why',
  'ICPT-05':
    'one exchange at a time per connection, answers in the order of the requests, nothing of one exchange in another',
  'ICPT-06': 'an answer leaves at once, its bytes unchanged; a reset can not be taken for a clean end',
  'ICPT-07': 'a client that goes away is noticed at once, also while nothing is being sent',
  'ICPT-08': 'a client that does not read stops the writer, costs one socket buffer, and is cut after the stall time',
  'ICPT-09': 'a handler that fails is an error to the client, never silence or a clean end',
  'ICPT-10': 'slow heads and bodies, silent connections and too many connections end by limits',
  'ICPT-11': 'a drain lets open answers end, closes idle connections at once, takes no new ones, and cuts what is left',
  'CMP-01': 'Grants and denies of several policies are unions; of the rest the strictest wins.',
  'CMP-02': 'What no policy selects gets nothing.',
  'CMP-03': 'Of two policies that contradict each other the older stays.',
  'CMP-04': 'A policy with a fault is refused by line and grants nothing.',
  'CMP-05': 'A field of a check that does not exist yet is refused by name, never ignored.',
  'CMP-06': 'Equal rules are compiled once, and have equal digests.',
  'CMP-07': 'The merge does not depend on order, and one more policy makes nothing laxer that was denied.',
  'CMP-08': "An agent's ceiling is read from its file, once; a name that is given twice is a fault in both places.",
  'RES-01': 'A file that is not as it should be is refused by file, line and column, with what to do.',
  'RES-02': 'All faults are told at once, and one broken document does not hide the next.',
  'RES-03': 'Defaults are those of an API server.',
  'RES-04': 'What Kubernetes adds to an object is borne.',
  'RES-05': '5,000 agents are borne.',
  'RES-06': 'The CRDs are structural, bounded, described, and what files are validated by.',
  'RES-07': 'Every validation rule of the CRDs holds in files too.',
  'RES-08': 'What YAML lets two readers read in two ways is refused, never guessed at.',
  'RES-09': 'Nesting, aliases, numbers and faults of a file are bounded; whatever it holds, reading does not throw.',
  'RES-10': 'A key that stands twice in a map is refused at the second place, in time in proportion to the file.',
  'RES-12':
    'The slowest file that is accepted reads in about a second; one over a limit is refused as fast, with which limit.',
  'RES-11': 'A document with aliases reads as the same document written out; each place gets its own defaults.',
  'WRK-01': 'Jobs of a worker pool are answered in order, also those that came before a thread was ready',
  'WRK-02':
    'A job past its deadline is answered `timeout` and its thread is ended; the jobs behind it go to the warm spare at once; an answer that is there is not late',
  'WRK-03':
    'A job whose thread throws, exits, runs out of memory or answers what cannot be sent is answered `failed`; the others are done',
  'WRK-04':
    'A thread that grew past heapBytes, WASM and buffers included, is replaced between two jobs, and no job is lost',
  'WRK-05': 'Jobs that wait are bounded in number and time; one more, or one longer, is answered `overloaded`',
  'WRK-06': 'Threads are restarted at a pace, ever more slowly while their start fails',
  'WRK-07': 'close answers what waits and runs and ends the threads; an idle pool does not keep its process alive',
  'WRK-08': 'A thread sees no environment, and no event of a pool quotes a job',
  'INTENT-SQL-01':
    'What a SQL text does is told from its whole parse tree: CTE writes, several statements, DO, PREPARE, COPY PROGRAM, EXPLAIN ANALYZE, SELECT INTO, locks, settings, side-effect functions, texts that are run',
  'INTENT-SQL-02': 'What MySQL or SQLite would execute where PostgreSQL sees a comment, string or name counts too',
  'INTENT-SQL-03': 'Reads stay reads, whatever their literals, names and comments look like',
  'INTENT-SQL-04':
    'SQL that does not parse, or holds a NUL, an invisible character or a foreign quote, is INTENT_SQL_UNPARSABLE',
  'INTENT-SQL-05': 'Case, white space, comments and statements around it never make a statement less',
  'INTENT-SQL-06': 'Every statement of the grammar has its row; a node that no table has counts as everything',
  'INTENT-SQL-07':
    'A PL/pgSQL body is read in every place that can hold SQL; what it builds at run time counts as everything',
  'INTENT-SQL-08': 'Statements that are as well plain English, or only compute, are told from statements of SQL',
  'INTENT-SQL-09': "While SQL streams, a statement's class is told with the unit that fixes it, the same for every cut",
  'INTENT-SQL-10': 'What is told while SQL streams is never more than the grammar says of the whole',
  'INTENT-SQL-11':
    'What is said about SQL names kinds of statements and known functions, no name and no value of the text',
  'INTENT-SQL-12':
    'SQL at its byte limit is judged, one byte more is INTENT_SQL_TOO_LARGE; a worker that is late or broken denies',
  'INTENT-SQL-13': "Strings, quoted names and comments end where PostgreSQL's own lexer ends them",
  'INTENT-SQL-14': 'Every volatile function of the server is in a table: it acts, or it is known to be harmless',
  'INTENT-SQL-15': 'What PostgreSQL refuses in a read-only transaction is never called a read',
  'INTENT-SQL-16': 'The worker judges SQL; nesting up to the byte limit is answered, and the next text is judged',
  'INTENT-SQL-17': 'SQL that was read is known by its whole text, and what could not be judged is not',
  'SET-01':
    'Wall time and durations come from one clock that tests can turn; durations never go back; printed times are RFC 3339 in UTC.',
  'SET-02':
    'A log line is one JSON object with level, time and a stable event; no field can hide them; only what is as loud as the level is printed.',
  'SET-03': 'A secret prints *** in JSON, as a text, in inspect and in any log line.',
  'SET-04':
    'A stderr that nobody reads stops neither the process nor its end; what waits is bounded, what is dropped is counted.',
  'SET-05': '`sallyctl up` without settings has the documented defaults, the data folder by the XDG rules.',
  'SET-06': 'Flags go before environment before file before default.',
  'SET-07':
    'Unknown and bad settings are refused, all at once, each with its place, what it may be, and the known name it resembles.',
  'SET-08': 'Every limit of the path can be set by --limit name=value or SALLYPORT_LIMIT, in its own unit.',
  'SET-09': 'A provider key is a secret from the moment it is read, and no fault prints one.',
  'SET-10': 'Each kind of setting takes exactly what it documents.',
  'FILE-01': 'A small file is written whole, for its owner alone.',
  'FILE-02': 'A crash, a full disk or a failed sync leaves the new file or the old one, and no draft that counts.',
  'FILE-03': 'Bits that let others at a file are taken away when it is read.',
  'RND-01': 'Names are unguessable: each character as likely as any other, no byte of chance used twice.',
  'SID-01': 'SPIFFE-ID §2: the scheme is `spiffe`, and an ID is written in its one form',
  'SID-02': 'SPIFFE-ID §2.1: a trust domain is lower case, 1 to 255 bytes of `[a-z0-9._-]`, without user or port',
  'SID-03':
    'SPIFFE-ID §2.2: segments of a path are not empty, not `.` or `..`, of `[A-Za-z0-9._-]`, with no slash behind the last',
  'SID-04': 'SPIFFE-ID §2.3: an ID of 2,048 bytes is read, a longer one refused',
  'SID-05': 'SPIFFE-ID §2: an ID with a query or a fragment is refused',
  'SID-06': 'SPIFFE-ID §2.1: a trust domain is the same whether or not it is an IP address or a DNS name',
  'XSVID-01': 'X509-SVID §2: a leaf has exactly one URI name, the SPIFFE ID; with more or none it is refused',
  'XSVID-02': 'X509-SVID §4.1: a leaf is no CA, a signer is one',
  'XSVID-03':
    'X509-SVID §4.3: key usage is there, critical, and for a leaf digitalSignature and neither of keyCertSign and cRLSign',
  'XSVID-04': 'X509-SVID §4.4: an extended key usage of a leaf names both server and client',
  'XSVID-05': 'X509-SVID §3: the ID of a leaf has a path, that of a signer has none',
  'XSVID-06':
    'X509-SVID §5: a chain is verified by RFC 5280 §6: order, time, signatures, no critical extension that is not understood',
  'XSVID-07': 'X509-SVID §5.1: a leaf is verified against the bundle of its own trust domain, and no other',
  'XSVID-08': 'X509-SVID §2–4: what the CA makes has the names, constraints and usages that each kind must have',
  'XSVID-09': 'X509-SVID §3.1: beside an empty subject the URI name is critical, else the leaf is refused',
  'XSVID-10':
    'X509-SVID §4.2: where a signer constrains the names below it the chain is refused: nobody here judges such constraints',
  'XSVID-11': 'a signature over SHA-1 or older, or by an RSA key below 2,048 bits, signs no certificate',
  'JSVID-01':
    'JWT-SVID §2: no algorithm but those of the standard that we sign with, and no header beside alg, kid, typ',
  'JSVID-02': 'JWT-SVID §3.1: `sub` is the SPIFFE ID of a workload in the trust domain of the bundle',
  'JSVID-03': 'JWT-SVID §3.2: `aud` is there and has the one that verifies',
  'JSVID-04': 'JWT-SVID §3.3: `exp` is there; a token that is over, not begun or too long is refused',
  'JSVID-05': 'JWT-SVID §4: compact serialization alone; nothing that is no token makes a verifier throw',
  'JSVID-06': 'JWT-SVID §5: the signature is that of the key that `kid` names in the bundle of its trust domain',
  'JSVID-07': 'JWT-SVID §6: only keys of the bundle that are for JWT-SVIDs verify one, and they verify nothing else',
  'JSVID-08': 'JWT-SVID §2–3: what the CA signs has no header but alg, kid and typ, and sub, aud and exp',
  'BUNDLE-01': 'Trust-Bundle §4: a bundle is a JWK Set with `keys`, which may be empty; anything else is refused',
  'BUNDLE-02':
    'Trust-Bundle §4.1: `spiffe_sequence` grows with every change; sequence and refresh hint are whole numbers',
  'BUNDLE-03': 'Trust-Bundle §4.2: a key without `kty` or `use`, or of an unknown one, is passed over',
  'BUNDLE-04': 'Trust-Bundle §4.2: a key for tokens has a `kid`, one for certificates exactly one certificate in `x5c`',
  'BUNDLE-05': 'Trust-Bundle §4.1.3: with no key that can be used every SVID of the trust domain is refused',
  'BUNDLE-07':
    'Trust-Bundle §4.1.1: the sequence grows with every change, whatever became of folder and clock in between',
  'BUNDLE-06': 'RFC 7517 §4.7: an entry whose key is not that of its certificate is passed over',
  'CSR-01':
    'a signing request that names anything but its own ID, asks for a right or does not prove its key is refused',
  'CSR-02': 'a refused signing request is an error that says why',
  'CA-01': 'a first start makes the keys of the CA, sealed and for the owner alone; a restart has the same',
  'CA-02':
    'a rotation: prepared → published → active → retired, tainted → revoked; what was signed verifies until its key is revoked',
  'CA-03': 'a move of a key that does not follow is refused, and nothing has changed',
  'CA-04': 'a disk that fails at any write of a rotation leaves a CA with one active key, and what was signed verifies',
  'CA-05': 'a journal or a sealed key that was changed is an error that names the file, never another key',
  'CA-06': 'keys of the CA are replaced when a third of their life is left, and revoked once it is over',
  'CA-07': 'each credential and each move of a key is on record before it is given out, without key or token',
  'CA-08': 'an X.509-SVID lives 300 s from 30 s before now, with the uid and the epoch of its agent',
  'CA-10':
    'a file of the CA that was cut, changed or lost: no identity is signed, the fault names the file, and no other root is made',
  'CA-11': 'a first start that broke off is a first start again; so is a folder that is not there',
  'CA-13': 'A CA of the first version is set aside whole, and a new one made.',
  'CA-12':
    'folder and files of the CA are for their owner alone: bits that let others at them are taken away with a warning',
  'CA-09': 'what the CA writes into root, issuer and leaf is what the standards ask of each, in its proper type',
  'IDOUT-01':
    'X.509-SVIDs of a running process: other libraries accept and refuse them as we do, through a whole rotation',
  'IDOUT-02': 'no linter of certificates finds a fault in what the CA signs',
  'IDOUT-03':
    'JWT-SVIDs and trust bundle of a running process: libraries for SPIFFE and JWT accept and refuse them as we do',
  'IDN-01': 'an SVID is made when it is first needed, once',
  'IDN-02': 'from the turn in which an agent loses its right its key, certificate and tokens are worth nothing here',
  'IDN-03': 'a JWT-SVID is for one audience, bound to the key of the agent, and renewed with time and policy',
  'IDN-04':
    'SVIDs are renewed at half of their life with a fresh key; while none is signed the old one goes on to its end',
  'IDN-05': 'what a tainted key of the CA signed is replaced at once',
  'IDN-06': 'the process: an agent without a valid SVID may not act, whatever the reason that it has none',
  'IDCLI-01':
    '`identity show` and `identity verify`: an SVID of a running process verifies there, offline, and by other tools',
  'IDCLI-02': 'the verbs of identity and CA say what is wrong, with the status of CLI.md',
  'IDCLI-03': 'a key of the CA is rotated by its verbs without an agent that notices, and a revoked one proves nothing',
  'IDCLI-04': 'an agent asks what it is through its sidecar; without a proof nobody opens that route of the admin API',
  'PROOF-01': 'a proof tells who asks, in which session, for whom, after whom and with which taint',
  'PROOF-02':
    'a proof of another request, audience, time, key, epoch or policy, one that widens tools or was used before is refused',
  'PROOF-03': 'a JWT-SVID is verified once, and again when it is over or the trust bundle has changed',
  'PROOF-04': 'the tools of a delegation chain narrow from agent to agent, and an empty set is empty',
  'PROOF-05':
    "another agent that proves who it is reaches the agent's own server, which learns its name and no credential",
  'PROOF-06':
    'a request to an agent without a proof, with one that does not fit, or of a caller that no policy names is refused, and costs the agent nothing',
  'PROOF-08':
    'a tool server that its entry opts in gets a JWT-SVID for its own address, without proof, session or chain',
  'PROOF-07': 'a request to a peer carries a proof and a JWT-SVID for that peer; no other host gets either',
  'LIFE-01':
    'Sever quarantines an agent one epoch on, with a hold that names reason and verdict; a restart does not thaw it.',
  'LIFE-02': "Severing while the firewall's hold counts changes nothing; the first one after a release is a new hold.",
  'LIFE-03':
    'A release covers holds that exist: a number beyond the epoch is worth the epoch of its first sight, also after a restart; taken back, its holds count again.',
  'LIFE-04':
    'The strictest of the ceiling and every counting hold rules; a ceiling that turns Quarantined raises the epoch; an epoch never falls.',
  'LIFE-05':
    'An agent that is gone from the folder is unknown, its permits stay dead, and coming back does not thaw it.',
  'LIFE-06':
    'A hold is written before any listener hears of it and synced before sever returns; listeners hear of each change once, in its turn.',
  'LIFE-07':
    'With a disk that fails, sever still quarantines in memory, says that it is not durable, and shows unhealthy until everything is written.',
  'LIFE-08': 'A state file with a torn last line loses that line alone; any other damage refuses to start.',
  'LIFE-09': 'The state file is for its owner alone.',
  'LIFE-10': 'The state file stays bounded, and 5,000 agents cost no line while there is nothing to say of them.',
  'LIFE-11':
    'In any sequence of ceilings, severs, releases and restarts, rights are never lost without a new epoch nor regained by a restart.',
  'LIFE-12': 'After kill -9 every sever that anybody saw still stands.',
  'LIFE-13': "One process owns a data folder; a dead owner's lock is taken over.",
  'KILL-01':
    'A kill cuts every open exchange of the agent on every dialect and framing, both legs, tells who can still read, and refuses the next request at once.',
  'KILL-02': 'At a kill a client that does not read is reset, with what waits for it.',
  'KILL-03':
    'At a kill a request that waits for its answer is refused in its own dialect, and the other side is reset.',
  'KILL-04':
    'After a kill no connection that the agent used is used again, and its sessions with tool servers are forgotten.',
  'KILL-05':
    'What was on its way in at a kill, a half of a request or one that waits behind another, is refused when its turn comes.',
  'STORE-01':
    'A row of the shared store is overwritten only by who saw its last writing, and never by a smaller epoch, whoever asks.',
  'STORE-02': 'A new floor of epochs is above every epoch and floor before it, and durable.',
  'STORE-03': 'Epochs are assigned and pushed in one step, one after the other; one that is not known is not raised.',
  'STORE-04':
    'After a loss of the fast store all agents are denied until every epoch stands above all that were ever assigned; a replica that was cut off reads again.',
  'STORE-05': 'A store that does not answer in time is said to be unavailable.',
  'LIFE-14': 'All 25 pairs of states have their answer: the same, allowed, refused with its reason, or an emergency.',
  'LIFE-15':
    'In any story nothing leads out of Terminated but to forget it, no epoch falls, and what came meanwhile survives a release.',
  'LIFE-16':
    'A state in a file that cannot be reached changes nothing, is told with its line, and does not happen later.',
  'LIFE-17': 'Where a policy says activation Manual, an agent stays Provisioned until a person releases it.',
  'LIFE-18':
    'A verb moves once, says who and why, and is refused with what is possible, or with the line of the file that overrides it.',
  'LIFE-19':
    'Each move is one event in its turn; rights come back only on record, and all is shut until what was taken away is on record.',
  'LIFE-20': 'A released agent is shut until its fresh key of that epoch is there.',
  'LIFE-21': 'The state file of an older version is read on.',
  'AUD-01': 'A verdict is in the file before append returns.',
  'AUD-02':
    'The history reads oldest first across restarts and rotation, and joins what follows without gap or repeat.',
  'AUD-03': 'A reader filters by agent, reason, time and newest N.',
  'AUD-04': 'A verdict is found by its id wherever it is kept.',
  'AUD-05': 'A torn or unreadable line costs itself alone, and is told.',
  'AUD-06': 'With a full disk append throws and leaves nothing; the log heals by itself.',
  'AUD-07': 'Verdicts are synced within 200 ms; a failed sync shows unhealthy.',
  'AUD-08': 'No file of the audit log is ever deleted.',
  'AUD-09': 'After kill -9 every append that returned is there, once, in order.',
  'AUD-10': 'Verdict ids cannot be guessed.',
  'AUD-11': 'The audit log is verified with no process, over files and restarts.',
  'AUD-12':
    'Edit, deletion, reordering and truncation of the audit log are found, also after a process went on with it.',
  'AUD-13': 'Verdicts of older versions are read on and pinned; events of every kind are told, read back and followed.',
  'CRASH-01':
    'After kill -9 at a random moment under load every id and call that a client got is on record, and every move that was answered holds.',
  'DISK-01':
    'A disk that fills closes every dialect with its own error, kills nothing, and opens by itself once there is room.',
  'DISK-02': 'A disk that fills in mid-answer lets no call through, and a Sever that it held up is written down later.',
  'DISK-03':
    'On a full disk a verb that takes rights away holds and says that it is not durable; one that gives them back is refused.',
  'DISK-04':
    'On a full disk the CA changes nothing; new policies hold at once, new tokens and keys come with the room.',
  'DISK-05': 'A start on a full disk is a clear error, and what it left behind is no hindrance to the next.',
  'PLACE-01': 'A place that cannot be used is named, with why and what to do, and is never a fault of the program.',
  'AUD-14': "A request that goes out with a provider's own key is on record before; unrecorded it does not go out.",
  'WLAPI-01': 'Workload API: no call without its security header; no method beyond the standard.',
  'WLAPI-02': 'Workload API: an X.509-SVID comes at once, whole, and again when it or the bundle changes.',
  'WLAPI-03': 'Workload API: who loses the right to an identity loses the stream with PERMISSION_DENIED.',
  'WLAPI-04': 'Workload API: bundles come alone, by trust domain.',
  'WLAPI-05': 'Workload API: JWT-SVIDs for the audiences that are asked for, of the own identity alone.',
  'WLAPI-06': 'Workload API: a JWT-SVID is validated for an audience.',
  'WLAPI-07':
    "Workload API: each socket is one agent's, opened by its policy and by up alike; closed again by either, a kill, or an edit.",
  'AUD-15': 'what was written after a record can be read by its id, across files and restarts',
  'SIEM-01':
    'Every reason has a class, and every class ids of published lists that are used as those lists write them.',
  'SIEM-02':
    'An exported event is one line of printable characters, the same each time; no text of an agent ends it or changes another field, and nothing unnamed is in it.',
  'SIEM-03': 'Every shape of an event is valid by the published schema of OCSF, nothing unknown or deprecated in it.',
  'SIEM-04':
    'Every shape of an event is CEF that a parser of somebody else reads; its signature ids are the reason codes.',
  'SIEM-05': 'Every field of every shape of an event is a field of the published ECS, of its type.',
  'SIEM-06':
    'The export of a log is filtered by time, agent and kind, waits for its reader, and ends well when that one goes.',
  'TOK-01': 'Each agent has a local token of its own, stable across restarts.',
  'TOK-02': 'Only a whole token finds an agent.',
  'TOK-03': 'The token of an agent that is gone opens nothing, and is the same when it comes back.',
  'TOK-04': 'The token file is for its owner alone, and no token reaches a log.',
  'TOK-05': 'A token file that cannot be understood is refused by line, without a token in the error.',
  'TOK-06': 'When tokens cannot be written, old agents keep theirs, gone ones lose theirs, new ones get none.',
  'TOK-07': '5,000 agents get their tokens in one durable write.',
  'JSON-01': 'What the strict reader accepts, JSON.parse accepts too, and both make the same value of it',
  'JSON-02':
    'Comments, trailing commas, NaN, single or missing quotes, control characters and byte order marks are refused as WIRE_INVALID_JSON',
  'JSON-03':
    'An object that has one key twice, escapes decoded, is refused; in arguments and answers also twice but for case or Unicode form',
  'JSON-04': '__proto__ is refused everywhere, constructor and prototype in arguments',
  'JSON-05': 'JSON is refused at the bracket that nests it deeper than the limit',
  'JSON-06':
    'A number that is not finite is refused everywhere; one beyond 2^53-1, a negative zero and one that rounds to zero in arguments',
  'JSON-07': 'Bytes that are not UTF-8 and halves of surrogate pairs, raw or escaped, are refused as WIRE_INVALID_UTF8',
  'JSON-08':
    'Keys of arguments with invisible characters, or that only look like ASCII, are refused as WIRE_INVISIBLE_TEXT',
  'JSON-09': 'A text over its cap is refused at that byte, while it arrives',
  'JSON-10': 'Verdict, reason, offset and completeness of a text do not depend on the pieces in which it is pushed',
  'JSON-11': 'The strings inside arguments are told while they arrive: decoded, with their path and their byte offsets',
  'JSON-12': 'A body is read in turns of at most turnBytes and judged as if it were read whole',
  'JSON-14':
    'An event that is like one before it, but for a few values, is read as a strict reading would read it, or strictly',
  'JSON-13': 'The elements of an array, and the value at a path, are found where they stand in the text',
  'SSE-01': 'The raw bytes of all frames in a row are the bytes of the stream, for every stream and every cutting',
  'SSE-02': 'Frames, and place and reason of the first fault, do not depend on the chunks in which a stream comes',
  'SSE-03': 'LF, CR, CRLF and mixtures end lines as WHATWG says, and a stream of bare CRs does not lag',
  'SSE-04':
    'Events are those that the OpenAI client dispatches; one without its blank line at the end of the stream is still an event',
  'SSE-05': 'Comments, blank lines, id, retry and unknown fields dispatch nothing and keep their bytes',
  'SSE-06': 'What some client could read as other data is a fault with WIRE_FRAMING, and nothing but faults follows it',
  'SSE-07': 'U+0085, U+2028 and U+2029 inside data pass byte for byte',
  'SSE-08': 'A frame over frameBytes is a fault at that byte, and no more than that is kept',
  'ANTHROPIC-01':
    'Allowed streams and answers of the Messages API are byte-identical in every framing, however they are cut',
  'ANTHROPIC-02':
    'A refused tool_use becomes a block of text at its index, its siblings stay, and the stop reason says what is left; Abort and Sever end in one error event',
  'ANTHROPIC-03': 'No shape of a Messages answer lets any client rebuild a refused call',
  'ANTHROPIC-04':
    'What the provider of the Messages API runs itself is granted in the request and passes as evidence in the answer',
  'ANTHROPIC-05': 'Only owned endpoints of the Messages API are opened, and their requests are read strictly',
  'ANTHROPIC-06':
    'A refused tool_use is put back when its conversation comes again, its result first in the next user message, and no other byte changes',
  'ANTHROPIC-07':
    'The official Anthropic SDK for Node reads every passed and every refused stream, and its next request works',
  'ANTHROPIC-08': 'The official Anthropic SDK for Python reads every passed and every refused stream',
  'ANTHROPIC-09': '200 Messages streams at once never mix',
  'H2-01': 'A request over HTTP/2 is the same request as over HTTP/1.1, on the same port, however its bytes are cut',
  'H2-02': 'Only the exact preface begins HTTP/2; HTTP/1.1 pays nothing for it',
  'H2-03':
    'What breaks a rule of HTTP/2 or of ours is no request: refused with its reason, its stream reset, or its connection ended',
  'H2-04': 'A body that was broken off is never taken for a whole one',
  'H2-05':
    'An answer over HTTP/2 leaves at once, its bytes unchanged; a reset is its own stream’s and no clean end to any client',
  'H2-06': 'A client that resets its stream or leaves its connection is noticed at once',
  'H2-07':
    'A client that opens no window stops the writer and costs little; one that takes nothing for too long is cut',
  'H2-08': 'Connections that TLS negotiated are handed in as HTTP/1.1 or HTTP/2',
  'H2-09': 'Each limit of HTTP/2 holds at its value and refuses one above',
  'H2-10': 'Floods of frames and of resets end their connection',
  'H2-11': 'A drain lets open streams end, takes no new ones, and cuts what is left',
  'H2-12': 'A provider that chooses HTTP/2 gets the same request, and its answer is read as it came',
  'H2-13': 'Over HTTP/2 too a stale permit stops the request at its very write',
  'H2-14': 'A cancel resets its own stream at once',
  'H2-15': 'A reader that stops, stops its own stream only',
  'H2-16': 'A connection takes as many streams as both sides allow; then there is another',
  'H2-17': 'Resets, farewells and broken answers are faults that name their cause; nothing is sent twice',
  'H2-18': 'A dead connection is found out, an unused one closed',
  'H2-19': 'A provider that does not choose HTTP/2 is spoken to in HTTP/1.1; TLS is verified first',
  'H2-20': 'The tests of every dialect hold over HTTP/2 on both sides',
  'PROMISE-IDENTITY':
    'README 11: an agent acts with a short-lived identity; another agent is believed only with a proof for this very request',
  'PROMISE-EGRESS':
    'Through the proxy a host that no policy names is neither resolved nor dialled, and a named one is dialled only at addresses that were judged',
  'EGR-01':
    'A host, an authority and a URL have one reading, the same as in the URL parser of the web, or they are refused',
  'EGR-02': 'A path that an origin could read as another is refused, and a prefix ends where a segment ends',
  'EGR-03': 'Every address is public, private, of this machine or forbidden, also behind mapped, NAT64 and 6to4 forms',
  'EGR-04': 'An entry of egress grants only where host, port, method and path of this one entry hold',
  'EGR-05': 'What is wrong with an egress entry is told by line, and entries that pass uninspected are warned of',
  'EGR-06':
    'Plain HTTP through the proxy arrives byte for byte, streams both ways, and is cleaned of what is not for the other side',
  'EGR-07':
    'What is not granted is refused with its reason and one verdict line, without a connection or a query of DNS',
  'EGR-08': 'The answer of DNS is judged, and exactly what was judged is dialled',
  'EGR-09':
    'The token of a proxied request comes in proxy-authorization, never goes on, and is asked for by 407 only where none came',
  'EGR-10': 'An opaque connection relays bytes both ways with back-pressure and half-close, and is counted and limited',
  'EGR-11':
    'A kill, a policy that no longer grants it and the end of the process cut an opaque connection and a plain exchange',
  'EGR-12': 'An upgrade is refused unless a policy opens it; an opened one is relayed with the key of the provider',
  'EGR-13': 'A host with a facade is not reached as plain egress',
  'EGR-14':
    'HTTP clients of others (curl, undici, node:http) reach what is granted through the proxy, and nothing else',
  'EGR-15':
    'What a host may take a request to do besides its first line (a destination, a method in the query, a header by another name) is granted, or does not arrive',
  'DASH-01':
    'A browser gets in by a code that the socket alone gives, that works once and for a minute; sessions are bounded, and end with the process.',
  'DASH-02': 'The link leaves the address bar at once, there is no cookie, and a session belongs to its tab.',
  'DASH-03': 'The dashboard shows texts of agents as texts, and its rules let nothing but its own files run.',
  'DASH-04': 'Verdicts are on the page within a second, filtered, paused, and bounded in memory and in the window.',
  'DASH-05':
    'The page quarantines and releases with a reason, says what came of it, and is on record as the dashboard.',
  'DASH-06': 'A stream that is cut goes on where it was: nothing is missing and nothing comes twice.',
  'DASH-07': 'The page is worked by keyboard alone, in light and dark with enough contrast, and at 400 px.',
  'DASH-08': 'The page is small, made of its own sources, lit and uPlot, and has nothing inline.',
}
