// Made by "make generate" from crds/. Do not edit.

/** A structural schema as a CRD has it. */
export type CrdSchema = { readonly [key: string]: unknown }

/** openAPIV3Schema of AgentPolicy v1alpha1, with its x-kubernetes words. */
export const AGENT_POLICY_SCHEMA: CrdSchema = {
 "description": "What the agents that it selects may do. What no policy grants is refused.",
 "type": "object",
 "required": [
  "spec"
 ],
 "properties": {
  "apiVersion": {
   "type": "string",
   "maxLength": 253
  },
  "kind": {
   "type": "string",
   "maxLength": 63
  },
  "metadata": {
   "type": "object"
  },
  "spec": {
   "description": "What the selected agents may do, and what happens when they try something else.",
   "type": "object",
   "required": [
    "selector",
    "role"
   ],
   "x-kubernetes-validations": [
    {
     "rule": "!has(self.session) || self.session.bindCalls != 'Require' || self.tools.allow.all(t, t.execution != 'local' && t.execution != 'stdio')",
     "message": "session.bindCalls Require needs every tool of tools.allow to leave the pod; local and stdio calls cannot be bound"
    }
   ],
   "properties": {
    "selector": {
     "description": "Which agents, by the labels of their pods. Empty selects every meshed pod of this namespace.",
     "type": "object",
     "properties": {
      "matchLabels": {
       "description": "Labels that must have exactly these values.",
       "type": "object",
       "maxProperties": 64,
       "additionalProperties": {
        "type": "string",
        "maxLength": 63
       }
      },
      "matchExpressions": {
       "description": "Conditions on labels; all of them must hold.",
       "type": "array",
       "maxItems": 32,
       "items": {
        "type": "object",
        "required": [
         "key",
         "operator"
        ],
        "x-kubernetes-validations": [
         {
          "rule": "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
          "message": "In and NotIn need values; Exists and DoesNotExist take none"
         }
        ],
        "properties": {
         "key": {
          "description": "Name of the label.",
          "type": "string",
          "minLength": 1,
          "maxLength": 317
         },
         "operator": {
          "description": "How the label is compared with the values.",
          "type": "string",
          "enum": [
           "In",
           "NotIn",
           "Exists",
           "DoesNotExist"
          ]
         },
         "values": {
          "description": "For In and NotIn; not given for Exists and DoesNotExist.",
          "type": "array",
          "maxItems": 64,
          "items": {
           "type": "string",
           "maxLength": 63
          }
         }
        }
       }
      }
     }
    },
    "namespaceSelector": {
     "description": "Only in the operator's namespace: makes this policy a ceiling for the selected namespaces.",
     "type": "object",
     "properties": {
      "matchLabels": {
       "description": "Labels that must have exactly these values.",
       "type": "object",
       "maxProperties": 64,
       "additionalProperties": {
        "type": "string",
        "maxLength": 63
       }
      },
      "matchExpressions": {
       "description": "Conditions on labels; all of them must hold.",
       "type": "array",
       "maxItems": 32,
       "items": {
        "type": "object",
        "required": [
         "key",
         "operator"
        ],
        "x-kubernetes-validations": [
         {
          "rule": "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
          "message": "In and NotIn need values; Exists and DoesNotExist take none"
         }
        ],
        "properties": {
         "key": {
          "description": "Name of the label.",
          "type": "string",
          "minLength": 1,
          "maxLength": 317
         },
         "operator": {
          "description": "How the label is compared with the values.",
          "type": "string",
          "enum": [
           "In",
           "NotIn",
           "Exists",
           "DoesNotExist"
          ]
         },
         "values": {
          "description": "For In and NotIn; not given for Exists and DoesNotExist.",
          "type": "array",
          "maxItems": 64,
          "items": {
           "type": "string",
           "maxLength": 63
          }
         }
        }
       }
      }
     }
    },
    "mode": {
     "description": "Audit judges and records and never acts.",
     "type": "string",
     "enum": [
      "Audit",
      "Enforce"
     ],
     "default": "Enforce"
    },
    "role": {
     "description": "The role claim, a DNS label.",
     "type": "string",
     "minLength": 1,
     "maxLength": 63,
     "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
    },
    "activation": {
     "description": "Manual: a person releases each agent first.",
     "type": "string",
     "enum": [
      "Automatic",
      "Manual"
     ],
     "default": "Automatic"
    },
    "tools": {
     "description": "Tools that may be called. Default deny; a deny in any policy wins.",
     "type": "object",
     "default": {
      "allow": [],
      "deny": []
     },
     "properties": {
      "allow": {
       "description": "Grants, each judged whole; one of them has to hold in all its parts.",
       "type": "array",
       "maxItems": 512,
       "default": [],
       "x-kubernetes-list-type": "map",
       "x-kubernetes-list-map-keys": [
        "name",
        "server"
       ],
       "items": {
        "type": "object",
        "required": [
         "name"
        ],
        "x-kubernetes-validations": [
         {
          "rule": "self.execution != 'output' || !has(self.intents) || size(self.intents) == 0",
          "message": "a structured output has no effects, so execution output takes no intents"
         }
        ],
        "properties": {
         "name": {
          "description": "Exact name or trailing-* glob.",
          "type": "string",
          "minLength": 1,
          "maxLength": 128
         },
         "server": {
          "description": "Only through this mcp.servers entry; empty = function tool or any server.",
          "type": "string",
          "maxLength": 63,
          "default": ""
         },
         "execution": {
          "description": "Where the call is carried out.",
          "type": "string",
          "enum": [
           "local",
           "mcp",
           "a2a",
           "http",
           "stdio",
           "output"
          ],
          "default": "local"
         },
         "intents": {
          "description": "Upper bound of what the call may do; absent = judged by its arguments.",
          "type": "array",
          "maxItems": 32,
          "items": {
           "type": "string",
           "minLength": 1,
           "maxLength": 80
          }
         },
         "resultTrust": {
          "description": "How far the result may be trusted.",
          "type": "string",
          "enum": [
           "Trusted",
           "Untrusted",
           "Private"
          ],
          "default": "Untrusted"
         },
         "sensitive": {
          "description": "Arguments that must be trusted while the session is tainted.",
          "type": "array",
          "maxItems": 32,
          "items": {
           "type": "string",
           "minLength": 1,
           "maxLength": 128
          }
         },
         "injected": {
          "description": "Arguments that the runtime adds after the model.",
          "type": "array",
          "maxItems": 32,
          "items": {
           "type": "string",
           "minLength": 1,
           "maxLength": 128
          }
         },
         "approval": {
          "description": "Whether a person has to approve each call.",
          "type": "object",
          "default": {
           "mode": "Never",
           "bind": []
          },
          "properties": {
           "mode": {
            "description": "Always holds each call until somebody approves it.",
            "type": "string",
            "enum": [
             "Never",
             "Always"
            ],
            "default": "Never"
           },
           "bind": {
            "description": "Argument paths that an approval is bound to; empty = all.",
            "type": "array",
            "maxItems": 32,
            "default": [],
            "items": {
             "type": "string",
             "minLength": 1,
             "maxLength": 128
            }
           }
          }
         },
         "arguments": {
          "description": "What the arguments have to look like.",
          "type": "object",
          "properties": {
           "schema": {
            "description": "JSON Schema 2020-12 of the arguments, without remote $ref.",
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true
           },
           "rules": {
            "description": "CEL rules over args, agent, session, tool and peer; an error denies.",
            "type": "array",
            "maxItems": 64,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": [
             "name"
            ],
            "items": {
             "type": "object",
             "required": [
              "name",
              "expression"
             ],
             "properties": {
              "name": {
               "description": "Name of the rule, as verdicts print it.",
               "type": "string",
               "minLength": 1,
               "maxLength": 63
              },
              "expression": {
               "description": "CEL expression that must be true.",
               "type": "string",
               "minLength": 1,
               "maxLength": 4096
              },
              "message": {
               "description": "What a refusal says when the rule does not hold.",
               "type": "string",
               "maxLength": 512,
               "default": ""
              }
             }
            }
           }
          }
         }
        }
       }
      },
      "deny": {
       "description": "Tools that are refused whatever else is granted.",
       "type": "array",
       "maxItems": 512,
       "default": [],
       "items": {
        "type": "object",
        "required": [
         "name"
        ],
        "properties": {
         "name": {
          "description": "Exact name or trailing-* glob.",
          "type": "string",
          "minLength": 1,
          "maxLength": 128
         },
         "server": {
          "description": "Only through this mcp.servers entry; empty = every tool of that name.",
          "type": "string",
          "maxLength": 63,
          "default": ""
         }
        }
       }
      }
     }
    },
    "textTools": {
     "description": "Actions that this agent writes as text.",
     "type": "array",
     "maxItems": 32,
     "default": [],
     "items": {
      "type": "object",
      "x-kubernetes-validations": [
       {
        "rule": "has(self.fence) != has(self.tag)",
        "message": "exactly one of fence and tag"
       }
      ],
      "properties": {
       "fence": {
        "description": "Info string of a code fence that is an action, such as bash.",
        "type": "string",
        "minLength": 1,
        "maxLength": 63,
        "pattern": "^[A-Za-z0-9_.+-]+$"
       },
       "tag": {
        "description": "Name of a tag that is an action, such as tool_call.",
        "type": "string",
        "minLength": 1,
        "maxLength": 63,
        "pattern": "^[A-Za-z0-9_.:-]+$"
       }
      }
     }
    },
    "intents": {
     "description": "What the agent may do at all; an unlisted intent is denied.",
     "type": "object",
     "default": {
      "allow": [],
      "deny": []
     },
     "properties": {
      "allow": {
       "description": "Intents, or trailing-* globs of them, that are allowed.",
       "type": "array",
       "maxItems": 64,
       "default": [],
       "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 80
       }
      },
      "deny": {
       "description": "Intents, or trailing-* globs of them, that are refused whatever else allows them.",
       "type": "array",
       "maxItems": 64,
       "default": [],
       "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 80
       }
      }
     }
    },
    "whenTainted": {
     "description": "How calls are judged once the session has read untrusted content.",
     "type": "object",
     "default": {
      "mode": "Graded",
      "intents": [
       "sql.write",
       "sql.ddl",
       "shell.exec",
       "vcs.push",
       "mail.send",
       "message.send",
       "account.write",
       "fs.delete",
       "fs.share",
       "money.move",
       "net.egress"
      ]
     },
     "properties": {
      "mode": {
       "description": "How strictly arguments are judged by where their values come from.",
       "type": "string",
       "enum": [
        "Graded",
        "RequireTrustedArguments",
        "Approve",
        "Deny"
       ],
       "default": "Graded"
      },
      "intents": {
       "description": "Intents that are judged more strictly.",
       "type": "array",
       "maxItems": 64,
       "default": [
        "sql.write",
        "sql.ddl",
        "shell.exec",
        "vcs.push",
        "mail.send",
        "message.send",
        "account.write",
        "fs.delete",
        "fs.share",
        "money.move",
        "net.egress"
       ],
       "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 80
       }
      }
     }
    },
    "approvals": {
     "description": "Who may approve a call that is held.",
     "type": "object",
     "default": {
      "approvers": []
     },
     "properties": {
      "approvers": {
       "description": "Groups that may approve a Hold; none = Hold becomes Deny.",
       "type": "array",
       "maxItems": 64,
       "default": [],
       "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 253
       }
      }
     }
    },
    "data": {
     "description": "Personal data and secrets, by kind and direction.",
     "type": "array",
     "maxItems": 64,
     "default": [],
     "x-kubernetes-list-type": "map",
     "x-kubernetes-list-map-keys": [
      "name"
     ],
     "items": {
      "type": "object",
      "required": [
       "name",
       "action"
      ],
      "x-kubernetes-validations": [
       {
        "rule": "has(self.kinds) != has(self.pattern)",
        "message": "exactly one of kinds and pattern"
       }
      ],
      "properties": {
       "name": {
        "description": "Name of the rule, as verdicts print it.",
        "type": "string",
        "minLength": 1,
        "maxLength": 63
       },
       "kinds": {
        "description": "Kinds of data, such as CreditCardNumber or Secret.",
        "type": "array",
        "minItems": 1,
        "maxItems": 64,
        "items": {
         "type": "string",
         "minLength": 1,
         "maxLength": 63
        }
       },
       "pattern": {
        "description": "RE2, length-bounded.",
        "type": "string",
        "minLength": 1,
        "maxLength": 512
       },
       "directions": {
        "description": "Absent = all.",
        "type": "array",
        "maxItems": 7,
        "items": {
         "type": "string",
         "enum": [
          "ToModel",
          "FromModel",
          "ToTool",
          "FromTool",
          "ToPeer",
          "FromPeer",
          "ToHost"
         ]
        }
       },
       "action": {
        "description": "What follows when such data is found.",
        "type": "string",
        "enum": [
         "Record",
         "Redact",
         "Hold",
         "Deny",
         "Abort",
         "Sever"
        ]
       }
      }
     }
    },
    "llm": {
     "description": "Model providers; absent = no model.",
     "type": "object",
     "properties": {
      "providers": {
       "description": "Providers that may be asked.",
       "type": "array",
       "maxItems": 32,
       "default": [],
       "x-kubernetes-list-type": "map",
       "x-kubernetes-list-map-keys": [
        "name"
       ],
       "items": {
        "type": "object",
        "required": [
         "name",
         "type"
        ],
        "x-kubernetes-validations": [
         {
          "rule": "has(self.host) == (self.type == 'OpenAICompatible')",
          "message": "host is required for OpenAICompatible and set for no other type"
         }
        ],
        "properties": {
         "name": {
          "description": "Name of the entry, as --upstream and verdicts use it.",
          "type": "string",
          "minLength": 1,
          "maxLength": 63
         },
         "type": {
          "description": "Whose API it is.",
          "type": "string",
          "enum": [
           "OpenAI",
           "Anthropic",
           "Gemini",
           "OpenAICompatible"
          ]
         },
         "host": {
          "description": "Required for OpenAICompatible.",
          "type": "string",
          "minLength": 1,
          "maxLength": 253
         },
         "keyRef": {
          "description": "The ProviderKey; without one the key comes from the environment (standalone only).",
          "type": "object",
          "required": [
           "name"
          ],
          "properties": {
           "name": {
            "description": "Name of the ProviderKey.",
            "type": "string",
            "minLength": 1,
            "maxLength": 253
           }
          }
         },
         "models": {
          "description": "Names or trailing-* globs; absent = none.",
          "type": "array",
          "maxItems": 256,
          "default": [],
          "items": {
           "type": "string",
           "minLength": 1,
           "maxLength": 128
          }
         },
         "hostedTools": {
          "description": "Provider-hosted tools: names or trailing-* globs, or { name: mcp, serverUrls: [...] }; absent = none.",
          "type": "array",
          "maxItems": 64,
          "default": [],
          "items": {
           "x-kubernetes-preserve-unknown-fields": true
          }
         },
         "opaque": {
          "description": "Endpoints and upgrades of this provider that pass uninspected.",
          "type": "array",
          "maxItems": 32,
          "default": [],
          "items": {
           "type": "object",
           "required": [
            "method",
            "path"
           ],
           "properties": {
            "method": {
             "description": "HTTP method.",
             "type": "string",
             "minLength": 1,
             "maxLength": 16
            },
            "path": {
             "description": "Path below the provider's base URL.",
             "type": "string",
             "minLength": 1,
             "maxLength": 512
            },
            "upgrade": {
             "description": "Protocol that the connection may be upgraded to.",
             "type": "string",
             "enum": [
              "websocket"
             ]
            }
           }
          }
         }
        }
       }
      },
      "router": {
       "description": "The choice of a model by price and quality.",
       "type": "object",
       "properties": {
        "aliases": {
         "description": "Model names that stand for a choice, such as auto.",
         "type": "array",
         "maxItems": 8,
         "default": [],
         "items": {
          "type": "string",
          "minLength": 1,
          "maxLength": 63
         }
        },
        "qualityFloor": {
         "description": "From 0 to 1, as a decimal string.",
         "type": "string",
         "maxLength": 16,
         "pattern": "^(0(\\.[0-9]{1,6})?|1(\\.0{1,6})?)$"
        },
        "maxUsdPerRequest": {
         "description": "US dollars as a decimal string.",
         "type": "string",
         "maxLength": 32,
         "pattern": "^[0-9]{1,12}(\\.[0-9]{1,6})?$"
        }
       }
      }
     }
    },
    "mcp": {
     "description": "MCP servers; absent = none.",
     "type": "object",
     "properties": {
      "servers": {
       "description": "MCP servers that may be used.",
       "type": "array",
       "maxItems": 128,
       "default": [],
       "x-kubernetes-list-type": "map",
       "x-kubernetes-list-map-keys": [
        "name"
       ],
       "items": {
        "type": "object",
        "required": [
         "name",
         "url"
        ],
        "properties": {
         "name": {
          "description": "Name of the entry, as tools.allow and --mcp use it.",
          "type": "string",
          "minLength": 1,
          "maxLength": 63
         },
         "url": {
          "description": "Address of the server.",
          "type": "string",
          "minLength": 1,
          "maxLength": 2048
         },
         "pin": {
          "description": "Digest of the tool list; absent = pinned at first use.",
          "type": "string",
          "maxLength": 128,
          "pattern": "^sha256:[0-9a-f]{64}$"
         },
         "onDrift": {
          "description": "What a changed tool list does.",
          "type": "string",
          "enum": [
           "Record",
           "Hold",
           "Deny"
          ],
          "default": "Deny"
         },
         "serverRequests": {
          "description": "Requests that the server may make of the agent, such as sampling.",
          "type": "array",
          "maxItems": 16,
          "default": [],
          "items": {
           "type": "string",
           "minLength": 1,
           "maxLength": 63
          }
         },
         "identity": {
          "description": "JwtSvid sends the agent's own token to the server.",
          "type": "string",
          "enum": [
           "None",
           "JwtSvid"
          ],
          "default": "None"
         }
        }
       }
      }
     }
    },
    "a2a": {
     "description": "Other agents; both ends must agree. Absent = none.",
     "type": "object",
     "properties": {
      "outbound": {
       "description": "Agents that this one may call.",
       "type": "array",
       "maxItems": 128,
       "default": [],
       "x-kubernetes-list-type": "map",
       "x-kubernetes-list-map-keys": [
        "name"
       ],
       "items": {
        "type": "object",
        "required": [
         "name",
         "agent",
         "url"
        ],
        "properties": {
         "name": {
          "description": "Name of the entry, as --a2a and verdicts use it.",
          "type": "string",
          "minLength": 1,
          "maxLength": 63
         },
         "agent": {
          "description": "The agent at the other end.",
          "type": "object",
          "required": [
           "namespace",
           "name"
          ],
          "properties": {
           "namespace": {
            "description": "Its namespace.",
            "type": "string",
            "minLength": 1,
            "maxLength": 63
           },
           "name": {
            "description": "Its name.",
            "type": "string",
            "minLength": 1,
            "maxLength": 253
           }
          }
         },
         "url": {
          "description": "Address of its A2A endpoint.",
          "type": "string",
          "minLength": 1,
          "maxLength": 2048
         },
         "skills": {
          "description": "Absent = none.",
          "type": "array",
          "maxItems": 128,
          "default": [],
          "items": {
           "type": "string",
           "minLength": 1,
           "maxLength": 128
          }
         },
         "delegate": {
          "description": "What the peer gets of this agent's rights.",
          "type": "object",
          "properties": {
           "tools": {
            "description": "Tools that the peer may use on behalf of this agent.",
            "type": "array",
            "maxItems": 128,
            "default": [],
            "items": {
             "type": "string",
             "minLength": 1,
             "maxLength": 128
            }
           },
           "usd": {
            "description": "US dollars as a decimal string.",
            "type": "string",
            "maxLength": 32,
            "pattern": "^[0-9]{1,12}(\\.[0-9]{1,6})?$"
           }
          }
         },
         "grpc": {
          "description": "Open lets gRPC pass, which is not inspected.",
          "type": "string",
          "enum": [
           "Open",
           "Refuse"
          ],
          "default": "Refuse"
         }
        }
       }
      },
      "inbound": {
       "description": "Agents that may call this one.",
       "type": "array",
       "maxItems": 128,
       "default": [],
       "x-kubernetes-list-type": "map",
       "x-kubernetes-list-map-keys": [
        "name"
       ],
       "items": {
        "type": "object",
        "required": [
         "name",
         "agent"
        ],
        "properties": {
         "name": {
          "description": "Name of the entry, as verdicts print it.",
          "type": "string",
          "minLength": 1,
          "maxLength": 63
         },
         "agent": {
          "description": "The agent at the other end.",
          "type": "object",
          "required": [
           "namespace",
           "name"
          ],
          "properties": {
           "namespace": {
            "description": "Its namespace.",
            "type": "string",
            "minLength": 1,
            "maxLength": 63
           },
           "name": {
            "description": "Its name.",
            "type": "string",
            "minLength": 1,
            "maxLength": 253
           }
          }
         },
         "grpc": {
          "description": "Open lets gRPC pass, which is not inspected.",
          "type": "string",
          "enum": [
           "Open",
           "Refuse"
          ],
          "default": "Refuse"
         }
        }
       }
      }
     }
    },
    "egress": {
     "description": "Other hosts; absent = none.",
     "type": "array",
     "maxItems": 256,
     "default": [],
     "x-kubernetes-list-type": "map",
     "x-kubernetes-list-map-keys": [
      "name"
     ],
     "items": {
      "type": "object",
      "required": [
       "name",
       "hosts"
      ],
      "properties": {
       "name": {
        "description": "Name of the entry, as verdicts print it.",
        "type": "string",
        "minLength": 1,
        "maxLength": 63
       },
       "hosts": {
        "description": "Exact host names, or IP addresses.",
        "type": "array",
        "minItems": 1,
        "maxItems": 64,
        "items": {
         "type": "string",
         "minLength": 1,
         "maxLength": 253
        }
       },
       "ports": {
        "description": "TCP ports.",
        "type": "array",
        "maxItems": 16,
        "default": [
         443
        ],
        "items": {
         "type": "integer",
         "minimum": 1,
         "maximum": 65535
        }
       },
       "methods": {
        "description": "HTTP methods.",
        "type": "array",
        "maxItems": 16,
        "default": [
         "GET",
         "HEAD"
        ],
        "items": {
         "type": "string",
         "minLength": 1,
         "maxLength": 16
        }
       },
       "pathPrefixes": {
        "description": "A path has to be one of these, or below it.",
        "type": "array",
        "maxItems": 64,
        "default": [
         "/"
        ],
        "items": {
         "type": "string",
         "minLength": 1,
         "maxLength": 512
        }
       },
       "tls": {
        "description": "Inspect reads what passes; Opaque only carries it.",
        "type": "string",
        "enum": [
         "Opaque",
         "Inspect"
        ],
        "default": "Inspect"
       }
      }
     }
    },
    "localServices": {
     "description": "Ports of other containers of the pod that the agent may reach; absent = none.",
     "type": "array",
     "maxItems": 32,
     "default": [],
     "x-kubernetes-list-type": "map",
     "x-kubernetes-list-map-keys": [
      "port"
     ],
     "items": {
      "type": "object",
      "required": [
       "port",
       "protocol"
      ],
      "properties": {
       "port": {
        "description": "TCP port on the loopback of the pod.",
        "type": "integer",
        "minimum": 1,
        "maximum": 65535
       },
       "protocol": {
        "description": "How it is inspected; opaque = not at all.",
        "type": "string",
        "enum": [
         "opaque",
         "http",
         "mcp"
        ]
       }
      }
     }
    },
    "inbound": {
     "description": "Callers outside the mesh; absent = none.",
     "type": "object",
     "default": {
      "plaintextPorts": []
     },
     "properties": {
      "plaintextPorts": {
       "description": "Ports that callers outside the mesh may reach without mutual TLS.",
       "type": "array",
       "maxItems": 32,
       "default": [],
       "items": {
        "type": "integer",
        "minimum": 1,
        "maximum": 65535
       }
      }
     }
    },
    "budgets": {
     "description": "Spending limits; absent = the default of the installation.",
     "type": "array",
     "maxItems": 32,
     "default": [],
     "x-kubernetes-list-type": "map",
     "x-kubernetes-list-map-keys": [
      "name"
     ],
     "items": {
      "type": "object",
      "required": [
       "name",
       "scope",
       "usd"
      ],
      "properties": {
       "name": {
        "description": "Name of the budget, as verdicts print it.",
        "type": "string",
        "minLength": 1,
        "maxLength": 63
       },
       "scope": {
        "description": "What is added up: all that the agent spends, or one session.",
        "type": "string",
        "enum": [
         "Agent",
         "Session"
        ]
       },
       "period": {
        "description": "When the sum begins anew.",
        "type": "string",
        "enum": [
         "Month",
         "Day"
        ]
       },
       "usd": {
        "description": "US dollars as a decimal string.",
        "type": "string",
        "maxLength": 32,
        "pattern": "^[0-9]{1,12}(\\.[0-9]{1,6})?$"
       },
       "downgradeAtPercent": {
        "description": "From this share of the limit on a cheaper model is used.",
        "type": "integer",
        "minimum": 1,
        "maximum": 100
       },
       "downgradeTo": {
        "description": "The router alias that is used then.",
        "type": "string",
        "maxLength": 63
       },
       "quarantineAtPercent": {
        "description": "At this share of the limit the agent is quarantined.",
        "type": "integer",
        "minimum": 1,
        "maximum": 100
       }
      }
     }
    },
    "memory": {
     "description": "What the agent may keep; the default is nothing.",
     "type": "object",
     "default": {
      "access": "None",
      "crossSession": "Denied",
      "vectorIndex": "None"
     },
     "properties": {
      "access": {
       "description": "Whether the agent may read and write its memory.",
       "type": "string",
       "enum": [
        "ReadWrite",
        "Read",
        "None"
       ],
       "default": "None"
      },
      "crossSession": {
       "description": "Whether one session may read what another wrote.",
       "type": "string",
       "enum": [
        "Explicit",
        "Denied"
       ],
       "default": "Denied"
      },
      "vectorIndex": {
       "description": "Whether vectors of the content are kept for search.",
       "type": "string",
       "enum": [
        "Obfuscated",
        "None"
       ],
       "default": "None"
      },
      "retentionDays": {
       "description": "Days after which content is deleted; absent = kept.",
       "type": "integer",
       "minimum": 1,
       "maximum": 3650
      }
     }
    },
    "session": {
     "description": "Bounds of one session.",
     "type": "object",
     "default": {
      "idleTimeoutSeconds": 1800,
      "maxToolCalls": 200,
      "maxToolCallsPerMinute": 120,
      "bindCalls": "Observe",
      "maxDelegationDepth": 1,
      "unlinked": "Inherit"
     },
     "properties": {
      "idleTimeoutSeconds": {
       "description": "Seconds without traffic after which a session ends.",
       "type": "integer",
       "minimum": 1,
       "maximum": 86400,
       "default": 1800
      },
      "maxToolCalls": {
       "description": "Calls of one session.",
       "type": "integer",
       "minimum": 1,
       "maximum": 100000,
       "default": 200
      },
      "maxToolCallsPerMinute": {
       "description": "Calls of one session in a minute.",
       "type": "integer",
       "minimum": 1,
       "maximum": 100000,
       "default": 120
      },
      "bindCalls": {
       "description": "Whether a request that leaves has to match a released call.",
       "type": "string",
       "enum": [
        "Off",
        "Observe",
        "Require"
       ],
       "default": "Observe"
      },
      "maxDelegationDepth": {
       "description": "How many agents may stand in a chain of delegation.",
       "type": "integer",
       "minimum": 0,
       "maximum": 16,
       "default": 1
      },
      "unlinked": {
       "description": "Labels of a conversation that cannot be linked to an earlier one.",
       "type": "string",
       "enum": [
        "Fresh",
        "Inherit"
       ],
       "default": "Inherit"
      }
     }
    },
    "onViolation": {
     "description": "What follows a finding that refuses.",
     "type": "object",
     "default": {
      "action": "Deny",
      "rules": []
     },
     "properties": {
      "action": {
       "description": "Record lets pass; Deny refuses one call; Abort ends the stream; Sever also quarantines. Not carried out yet and refused as UnsupportedField are Redact (cuts out) and Hold (waits for an approval).",
       "type": "string",
       "enum": [
        "Record",
        "Redact",
        "Hold",
        "Deny",
        "Abort",
        "Sever"
       ],
       "default": "Deny"
      },
      "rules": {
       "description": "Other actions for some reasons; the strictest that applies wins.",
       "type": "array",
       "maxItems": 64,
       "default": [],
       "x-kubernetes-list-type": "map",
       "x-kubernetes-list-map-keys": [
        "name"
       ],
       "items": {
        "type": "object",
        "required": [
         "name",
         "reasons",
         "action"
        ],
        "properties": {
         "name": {
          "description": "Name of the rule, as verdicts print it.",
          "type": "string",
          "minLength": 1,
          "maxLength": 63
         },
         "reasons": {
          "description": "Reason codes or trailing-* globs.",
          "type": "array",
          "minItems": 1,
          "maxItems": 64,
          "items": {
           "type": "string",
           "minLength": 1,
           "maxLength": 80
          }
         },
         "action": {
          "description": "What follows a finding with such a reason.",
          "type": "string",
          "enum": [
           "Record",
           "Redact",
           "Hold",
           "Deny",
           "Abort",
           "Sever"
          ]
         }
        }
       }
      },
      "escalate": {
       "description": "A stricter action after repeated violations.",
       "type": "object",
       "required": [
        "violations",
        "windowSeconds",
        "action"
       ],
       "properties": {
        "violations": {
         "description": "So many refusals …",
         "type": "integer",
         "minimum": 1,
         "maximum": 10000
        },
        "windowSeconds": {
         "description": "… within so many seconds …",
         "type": "integer",
         "minimum": 1,
         "maximum": 86400
        },
        "action": {
         "description": "… are followed by this.",
         "type": "string",
         "enum": [
          "Record",
          "Redact",
          "Hold",
          "Deny",
          "Abort",
          "Sever"
         ]
        }
       }
      }
     }
    },
    "audit": {
     "description": "What the audit log keeps of payloads.",
     "type": "object",
     "default": {
      "payloads": "None"
     },
     "properties": {
      "payloads": {
       "description": "Whether the audit log holds payloads, with personal data cut out.",
       "type": "string",
       "enum": [
        "Redacted",
        "None"
       ],
       "default": "None"
      }
     }
    },
    "pod": {
     "description": "What else in its pod the agent may use.",
     "type": "object",
     "default": {
      "kubernetesApi": "Deny",
      "sharedVolumes": [],
      "workloadApi": "Closed",
      "extraRoots": []
     },
     "properties": {
      "kubernetesApi": {
       "description": "Whether the pod may reach the Kubernetes API.",
       "type": "string",
       "enum": [
        "Allow",
        "Deny"
       ],
       "default": "Deny"
      },
      "sharedVolumes": {
       "description": "Volumes that the agent may share with other containers.",
       "type": "array",
       "maxItems": 32,
       "default": [],
       "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 63
       }
      },
      "workloadApi": {
       "description": "Open serves the SPIFFE Workload API to the agent, private key and all.",
       "type": "string",
       "enum": [
        "Open",
        "Closed"
       ],
       "default": "Closed"
      },
      "extraRoots": {
       "description": "Further certificate authorities that upstream TLS may rest on.",
       "type": "array",
       "maxItems": 16,
       "default": [],
       "items": {
        "type": "object",
        "required": [
         "configMap",
         "key"
        ],
        "properties": {
         "configMap": {
          "description": "Name of the ConfigMap.",
          "type": "string",
          "minLength": 1,
          "maxLength": 253
         },
         "key": {
          "description": "Key of the PEM bundle in it.",
          "type": "string",
          "minLength": 1,
          "maxLength": 253
         }
        }
       }
      }
     }
    }
   }
  },
  "status": {
   "type": "object",
   "properties": {
    "observedGeneration": {
     "type": "integer",
     "format": "int64"
    },
    "snapshot": {
     "type": "object",
     "properties": {
      "version": {
       "type": "string",
       "maxLength": 64
      },
      "digest": {
       "type": "string",
       "maxLength": 80
      }
     }
    },
    "agents": {
     "type": "integer"
    },
    "sidecars": {
     "type": "object",
     "properties": {
      "selected": {
       "type": "integer"
      },
      "acked": {
       "type": "integer"
      },
      "nacked": {
       "type": "integer"
      },
      "outdated": {
       "type": "integer"
      }
     }
    },
    "nacks": {
     "type": "array",
     "maxItems": 10,
     "items": {
      "type": "object",
      "properties": {
       "pod": {
        "type": "string",
        "maxLength": 253
       },
       "code": {
        "type": "string",
        "maxLength": 64
       },
       "message": {
        "type": "string",
        "maxLength": 1024
       },
       "since": {
        "type": "string",
        "maxLength": 64
       }
      }
     }
    },
    "conditions": {
     "type": "array",
     "maxItems": 16,
     "x-kubernetes-list-type": "map",
     "x-kubernetes-list-map-keys": [
      "type"
     ],
     "items": {
      "type": "object",
      "required": [
       "type",
       "status",
       "lastTransitionTime",
       "reason",
       "message"
      ],
      "properties": {
       "type": {
        "type": "string",
        "maxLength": 316
       },
       "status": {
        "type": "string",
        "enum": [
         "True",
         "False",
         "Unknown"
        ]
       },
       "observedGeneration": {
        "type": "integer",
        "format": "int64"
       },
       "lastTransitionTime": {
        "type": "string",
        "format": "date-time",
        "maxLength": 64
       },
       "reason": {
        "type": "string",
        "maxLength": 1024
       },
       "message": {
        "type": "string",
        "maxLength": 32768
       }
      }
     }
    }
   }
  }
 }
}

/** openAPIV3Schema of Agent v1alpha1, with its x-kubernetes words. */
export const AGENT_SCHEMA: CrdSchema = {
 "description": "One logical agent, run by any number of pods.",
 "type": "object",
 "properties": {
  "apiVersion": {
   "type": "string",
   "maxLength": 253
  },
  "kind": {
   "type": "string",
   "maxLength": 63
  },
  "metadata": {
   "type": "object"
  },
  "spec": {
   "description": "What a person asks for.",
   "type": "object",
   "default": {
    "state": "Active",
    "reason": "",
    "releaseThroughEpoch": 0,
    "force": false,
    "deletionPolicy": "Retain"
   },
   "x-kubernetes-validations": [
    {
     "rule": "self.state == 'Active' || size(self.reason) > 0",
     "message": "reason is required unless state is Active"
    }
   ],
   "properties": {
    "state": {
     "description": "The ceiling that a person sets. Active releases no hold. Terminated is final.",
     "type": "string",
     "enum": [
      "Active",
      "Quarantined",
      "Suspended",
      "Terminated"
     ],
     "default": "Active"
    },
    "reason": {
     "description": "Why; required unless state is Active.",
     "type": "string",
     "maxLength": 1024,
     "default": ""
    },
    "releaseThroughEpoch": {
     "description": "Holds up to this epoch no longer count. Keep it after the release; without it they count again. A later hold has a higher epoch.",
     "type": "integer",
     "format": "int64",
     "minimum": 0,
     "default": 0,
     "maximum": 9007199254740991
    },
    "serviceAccountName": {
     "description": "The only service account that may attest as this agent.",
     "type": "string",
     "minLength": 1,
     "maxLength": 253
    },
    "force": {
     "description": "With state Terminated: the emergency move, from any state.",
     "type": "boolean",
     "default": false
    },
    "deletionPolicy": {
     "description": "What deleting this object does to the agent's memory.",
     "type": "string",
     "enum": [
      "Retain",
      "Shred"
     ],
     "default": "Retain"
    }
   }
  },
  "status": {
   "description": "What is.",
   "type": "object",
   "properties": {
    "state": {
     "type": "string",
     "enum": [
      "Provisioned",
      "Active",
      "Quarantined",
      "Suspended",
      "Terminated"
     ]
    },
    "role": {
     "description": "The role of the policy that selects it.",
     "type": "string",
     "maxLength": 63
    },
    "pods": {
     "description": "Pods that run it now.",
     "type": "integer"
    },
    "epoch": {
     "description": "Grows at every move that removes rights.",
     "type": "integer",
     "format": "int64"
    },
    "holds": {
     "type": "array",
     "maxItems": 32,
     "items": {
      "type": "object",
      "required": [
       "epoch",
       "state",
       "source",
       "code",
       "since"
      ],
      "properties": {
       "epoch": {
        "type": "integer",
        "format": "int64"
       },
       "state": {
        "type": "string",
        "maxLength": 32
       },
       "source": {
        "type": "string",
        "enum": [
         "Firewall",
         "Budget",
         "User",
         "Identity"
        ]
       },
       "code": {
        "type": "string",
        "maxLength": 128
       },
       "verdictId": {
        "type": "string",
        "maxLength": 128
       },
       "since": {
        "type": "string",
        "format": "date-time",
        "maxLength": 64
       }
      }
     }
    },
    "acks": {
     "type": "object",
     "properties": {
      "wanted": {
       "type": "integer"
      },
      "received": {
       "type": "integer"
      }
     }
    },
    "budget": {
     "type": "object",
     "properties": {
      "spentUsd": {
       "type": "string",
       "maxLength": 32
      },
      "limitUsd": {
       "type": "string",
       "maxLength": 32
      },
      "percent": {
       "type": "integer"
      }
     }
    },
    "conditions": {
     "type": "array",
     "maxItems": 16,
     "x-kubernetes-list-type": "map",
     "x-kubernetes-list-map-keys": [
      "type"
     ],
     "items": {
      "type": "object",
      "required": [
       "type",
       "status",
       "lastTransitionTime",
       "reason",
       "message"
      ],
      "properties": {
       "type": {
        "type": "string",
        "maxLength": 316
       },
       "status": {
        "type": "string",
        "enum": [
         "True",
         "False",
         "Unknown"
        ]
       },
       "observedGeneration": {
        "type": "integer",
        "format": "int64"
       },
       "lastTransitionTime": {
        "type": "string",
        "format": "date-time",
        "maxLength": 64
       },
       "reason": {
        "type": "string",
        "maxLength": 1024
       },
       "message": {
        "type": "string",
        "maxLength": 32768
       }
      }
     }
    }
   }
  }
 }
}
