import { anything, type Effect, effect } from './effect.ts'

const read = (says: string): Effect => effect(says, 'sql.read')
const write = (says: string): Effect => effect(says, 'sql.write')
const ddl = (says: string): Effect => effect(says, 'sql.ddl')

/** Statements whose effect their contents decide; `special-statements` looks at them. */
export type SpecialStatement =
  | 'SelectStmt'
  | 'CopyStmt'
  | 'ExplainStmt'
  | 'VariableSetStmt'
  | 'TransactionStmt'
  | 'DiscardStmt'
  | 'ExecuteStmt'
  | 'DoStmt'
  | 'CreateFunctionStmt'
  | 'AlterSystemStmt'
  | 'CreateForeignTableStmt'
  | 'AlterTableStmt'

/** Every other statement of the grammar, by its node. A node that is in no table counts as anything. */
export const STATEMENTS: ReadonlyMap<string, Effect> = new Map(
  Object.entries({
    InsertStmt: write('INSERT'),
    UpdateStmt: write('UPDATE'),
    DeleteStmt: write('DELETE'),
    MergeStmt: write('MERGE'),
    CallStmt: write('CALL'),
    NotifyStmt: write('NOTIFY'),
    LockStmt: write('LOCK TABLE'),
    RefreshMatViewStmt: write('REFRESH MATERIALIZED VIEW'),
    ConstraintsSetStmt: write('SET CONSTRAINTS'),

    VariableShowStmt: read('SHOW'),
    DeclareCursorStmt: read('DECLARE CURSOR'),
    FetchStmt: read('FETCH'),
    ClosePortalStmt: read('CLOSE'),
    PrepareStmt: read('PREPARE'),
    DeallocateStmt: read('DEALLOCATE'),
    ListenStmt: read('LISTEN'),
    UnlistenStmt: read('UNLISTEN'),
    // what a function answers; only inside of its body
    ReturnStmt: read('RETURN'),

    CreateTableAsStmt: effect('CREATE TABLE AS', 'sql.write', 'sql.ddl'),
    LoadStmt: effect('LOAD', 'sql.ddl', 'shell.exec'),
    CreateTableSpaceStmt: effect('CREATE TABLESPACE', 'sql.ddl', 'fs.write'),
    CreateFdwStmt: effect('CREATE FOREIGN DATA WRAPPER', 'sql.ddl', 'net.egress'),
    AlterFdwStmt: effect('ALTER FOREIGN DATA WRAPPER', 'sql.ddl', 'net.egress'),
    CreateForeignServerStmt: effect('CREATE SERVER', 'sql.ddl', 'net.egress'),
    AlterForeignServerStmt: effect('ALTER SERVER', 'sql.ddl', 'net.egress'),
    CreateUserMappingStmt: effect('CREATE USER MAPPING', 'sql.ddl', 'net.egress'),
    AlterUserMappingStmt: effect('ALTER USER MAPPING', 'sql.ddl', 'net.egress'),
    ImportForeignSchemaStmt: effect('IMPORT FOREIGN SCHEMA', 'sql.ddl', 'net.egress'),
    CreateSubscriptionStmt: effect('CREATE SUBSCRIPTION', 'sql.ddl', 'net.egress'),
    AlterSubscriptionStmt: effect('ALTER SUBSCRIPTION', 'sql.ddl', 'net.egress'),
    DropSubscriptionStmt: effect('DROP SUBSCRIPTION', 'sql.ddl', 'net.egress'),
    // a handler is native code
    CreatePLangStmt: effect('CREATE LANGUAGE', 'sql.ddl', 'shell.exec'),
    CreateAmStmt: effect('CREATE ACCESS METHOD', 'sql.ddl', 'shell.exec'),

    DropStmt: ddl('DROP'),
    DropdbStmt: ddl('DROP DATABASE'),
    DropRoleStmt: ddl('DROP ROLE'),
    DropOwnedStmt: ddl('DROP OWNED'),
    DropTableSpaceStmt: ddl('DROP TABLESPACE'),
    DropUserMappingStmt: ddl('DROP USER MAPPING'),
    TruncateStmt: ddl('TRUNCATE'),
    GrantStmt: ddl('GRANT or REVOKE'),
    GrantRoleStmt: ddl('GRANT or REVOKE of a role'),
    AlterDefaultPrivilegesStmt: ddl('ALTER DEFAULT PRIVILEGES'),
    ReassignOwnedStmt: ddl('REASSIGN OWNED'),
    CommentStmt: ddl('COMMENT'),
    SecLabelStmt: ddl('SECURITY LABEL'),
    VacuumStmt: ddl('VACUUM or ANALYZE'),
    ReindexStmt: ddl('REINDEX'),
    ClusterStmt: ddl('CLUSTER'),
    CheckPointStmt: ddl('CHECKPOINT'),
    RenameStmt: ddl('ALTER … RENAME'),
    CreateStmt: ddl('CREATE TABLE'),
    CreateSchemaStmt: ddl('CREATE SCHEMA'),
    CreateSeqStmt: ddl('CREATE SEQUENCE'),
    CreateExtensionStmt: ddl('CREATE EXTENSION'),
    CreateRoleStmt: ddl('CREATE ROLE'),
    CreatedbStmt: ddl('CREATE DATABASE'),
    CreatePolicyStmt: ddl('CREATE POLICY'),
    CreateTrigStmt: ddl('CREATE TRIGGER'),
    CreateEventTrigStmt: ddl('CREATE EVENT TRIGGER'),
    CreateDomainStmt: ddl('CREATE DOMAIN'),
    CreateOpClassStmt: ddl('CREATE OPERATOR CLASS'),
    CreateOpFamilyStmt: ddl('CREATE OPERATOR FAMILY'),
    CreateConversionStmt: ddl('CREATE CONVERSION'),
    CreateCastStmt: ddl('CREATE CAST'),
    CreateTransformStmt: ddl('CREATE TRANSFORM'),
    CreateStatsStmt: ddl('CREATE STATISTICS'),
    CreateEnumStmt: ddl('CREATE TYPE'),
    CreateRangeStmt: ddl('CREATE TYPE'),
    CompositeTypeStmt: ddl('CREATE TYPE'),
    DefineStmt: ddl('CREATE of an operator, aggregate or type'),
    IndexStmt: ddl('CREATE INDEX'),
    ViewStmt: ddl('CREATE VIEW'),
    RuleStmt: ddl('CREATE RULE'),
    CreatePublicationStmt: ddl('CREATE PUBLICATION'),
    AlterPublicationStmt: ddl('ALTER PUBLICATION'),
    AlterCollationStmt: ddl('ALTER COLLATION'),
    AlterDomainStmt: ddl('ALTER DOMAIN'),
    AlterTableSpaceOptionsStmt: ddl('ALTER TABLESPACE'),
    AlterTableMoveAllStmt: ddl('ALTER TABLE ALL'),
    AlterExtensionStmt: ddl('ALTER EXTENSION'),
    AlterExtensionContentsStmt: ddl('ALTER EXTENSION'),
    AlterPolicyStmt: ddl('ALTER POLICY'),
    AlterEventTrigStmt: ddl('ALTER EVENT TRIGGER'),
    AlterRoleStmt: ddl('ALTER ROLE'),
    AlterRoleSetStmt: ddl('ALTER ROLE'),
    AlterSeqStmt: ddl('ALTER SEQUENCE'),
    AlterOpFamilyStmt: ddl('ALTER OPERATOR FAMILY'),
    AlterStatsStmt: ddl('ALTER STATISTICS'),
    AlterFunctionStmt: ddl('ALTER FUNCTION'),
    AlterObjectDependsStmt: ddl('ALTER … DEPENDS'),
    AlterObjectSchemaStmt: ddl('ALTER … SET SCHEMA'),
    AlterOwnerStmt: ddl('ALTER … OWNER'),
    AlterOperatorStmt: ddl('ALTER OPERATOR'),
    AlterTypeStmt: ddl('ALTER TYPE'),
    AlterEnumStmt: ddl('ALTER TYPE'),
    AlterDatabaseStmt: ddl('ALTER DATABASE'),
    AlterDatabaseRefreshCollStmt: ddl('ALTER DATABASE'),
    AlterDatabaseSetStmt: ddl('ALTER DATABASE'),
    AlterTSDictionaryStmt: ddl('ALTER TEXT SEARCH DICTIONARY'),
    AlterTSConfigurationStmt: ddl('ALTER TEXT SEARCH CONFIGURATION'),

    // made by the server's own analysis or by PL/pgSQL, never by the grammar for a text
    Query: anything('a node of the server'),
    InlineCodeBlock: anything('a node of the server'),
    PLAssignStmt: anything('a node of PL/pgSQL'),
    SetOperationStmt: anything('a node of the server'),
    ATAlterConstraint: ddl('ALTER TABLE'),
    ReplicaIdentityStmt: ddl('ALTER TABLE'),
  } satisfies Readonly<Record<string, Effect>>),
)

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** Nodes that are parts of statements: they do nothing themselves, what is in them is looked at. */
export const PARTS: ReadonlySet<string> = new Set(
  words(`RawStmt Integer Float Boolean String BitString List OidList IntList A_Const Alias RangeVar TableFunc IntoClause
    Var Param ParamRef Aggref GroupingFunc WindowFunc SubscriptingRef NamedArgExpr OpExpr DistinctExpr NullIfExpr
    ScalarArrayOpExpr BoolExpr SubLink FieldSelect FieldStore RelabelType CoerceViaIO ArrayCoerceExpr CollateExpr
    CaseExpr CaseWhen CaseTestExpr ArrayExpr RowExpr RowCompareExpr CoalesceExpr MinMaxExpr SQLValueFunction XmlExpr
    MergeSupportFunc JsonFormat JsonReturning JsonValueExpr JsonConstructorExpr JsonIsPredicate JsonBehavior JsonExpr
    JsonTablePath JsonTablePathScan JsonTableSiblingJoin JsonOutput JsonArgument JsonFuncExpr JsonTablePathSpec JsonTable
    JsonTableColumn JsonKeyValue JsonParseExpr JsonScalarExpr JsonSerializeExpr JsonObjectConstructor
    JsonArrayConstructor JsonArrayQueryConstructor JsonAggConstructor JsonObjectAgg JsonArrayAgg NullTest BooleanTest
    MergeAction SetToDefault CurrentOfExpr InferenceElem TargetEntry RangeTblRef JoinExpr FromExpr OnConflictExpr
    TypeName ColumnRef A_Expr TypeCast CollateClause RoleSpec FuncCall A_Star A_Indices A_Indirection A_ArrayExpr
    ResTarget MultiAssignRef SortBy WindowDef RangeSubselect RangeFunction RangeTableFunc RangeTableFuncCol
    RangeTableSample ColumnDef TableLikeClause IndexElem DefElem LockingClause XmlSerialize PartitionElem PartitionSpec
    PartitionBoundSpec PartitionRangeDatum PartitionCmd WithCheckOption GroupingSet WindowClause WithClause InferClause
    OnConflictClause CTESearchClause CTECycleClause CommonTableExpr MergeWhenClause ReturningOption ReturningClause
    TriggerTransition AlterTableCmd ObjectWithArgs AccessPriv Constraint CreateOpClassItem StatsElem FunctionParameter
    CallContext VacuumRelation PublicationTable PublicationObjSpec`),
)
