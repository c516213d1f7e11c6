// core/config/ast.h -- a configuration file as a tree: what the grammar read, before anything is known about
// parameters, modules, functions or variables.
//
// WHY    One tree serves the settings, the module loader, the script compiler, `-c` and `--cfg-print`.
// LIVES  In private memory of the starting process; owned by value and unique_ptr; immutable after parsing.
// FAILS  Never by itself. Names are as written: whoever consumes a node checks them and reports at node.at.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/config/location.h"

namespace kahu::config {

// --- expressions -----------------------------------------------------------------------------------
struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

enum class UnaryOp : uint8_t { logical_not, minus, bit_not, to_int, to_text, defined, strempty, strlen };
enum class BinaryOp : uint8_t {
    logical_or,
    logical_and,
    equal,
    not_equal,
    match,
    not_match,  // == != =~ !~ : the operands decide between text and integer
    text_equal,
    text_not_equal,
    int_equal,
    int_not_equal,  // eq/streq ne/strne ieq ine: converted first
    less,
    less_equal,
    greater,
    greater_equal,
    add,
    subtract,
    multiply,
    divide,
    modulo,  // add joins when the left operand is text
    bit_and,
    bit_or,
    bit_xor,
    shift_left,
    shift_right,
};
// What the script can ask of the message without a variable: `method == "INVITE"`, `src_ip == myself`.
enum class CoreOperand : uint8_t {
    method,
    uri,
    from_uri,
    to_uri,
    src_ip,
    src_port,
    dst_ip,
    dst_port,
    proto,
    af,
    msg_len,
    max_len,
    status,
    retcode,
    snd_ip,
    snd_port,
    snd_proto,
    snd_af,
    to_ip,
    to_port,
    myself,
};

struct IntLiteral {
    int64_t value = 0;
};
// escapes resolved; may contain $variables: the function decides
struct TextLiteral {
    std::string text;
};
// whole and as written: "$ru", "$(hdr(X)[0]{s.len})", "$var(i)"
struct PseudoVariable {
    std::string text;
};
// "@cfg_get.pstn.gw_ip", "@via[1].host"
struct Select {
    std::string text;
};
// "10.0.0.0/8", "127.0.0.1", "::1", "2001:db8::/32"; no brackets
struct AddressLiteral {
    std::string text;
};
// a bare name: TLS, INET6, a flag's name, a route's name
struct Word {
    std::string text;
};
struct CoreOperandUse {
    CoreOperand which;
};
struct Unary {
    UnaryOp op;
    ExpressionPtr operand;
};
struct Binary {
    BinaryOp op;
    ExpressionPtr left, right;
};
struct Call {  // a module's or the core's function
    std::string name;
    std::vector<ExpressionPtr> arguments;  // f(a,,b): the omitted one is an empty TextLiteral
    bool bare = false;                     // `force_rport;` without parentheses
};
// route(NAME): a Word or IntLiteral; route("N" + $rU): any expression
struct RouteCall {
    ExpressionPtr name;
};

struct Expression {
    Location at;  // of the operator for Binary, else of the first token
    std::variant<IntLiteral, TextLiteral, PseudoVariable, Select, AddressLiteral, Word, CoreOperandUse, Unary, Binary,
                 Call, RouteCall>
        node;
    uint32_t height = 1;  // of the tree below; at most kMaxHeight, so that consumers may recurse
};
inline constexpr uint32_t kMaxHeight = 1000;

// --- statements ------------------------------------------------------------------------------------
struct Statement;
using Block = std::vector<Statement>;

enum class AssignOp : uint8_t { set, add };  // = +=

// always a Call or RouteCall
struct CallStatement {
    ExpressionPtr call;
};
struct Assignment {
    ExpressionPtr target;  // PseudoVariable, Select, CoreOperandUse or Word
    AssignOp op = AssignOp::set;
    ExpressionPtr value;
};
// `else if`: an If alone in else_block
struct If {
    ExpressionPtr condition;
    Block then_block, else_block;
};
struct While {
    ExpressionPtr condition;
    Block body;
};
enum class CaseKind : uint8_t { number, text, regex, otherwise };
struct Case {  // falls through into the next one unless it ends in break, exit, ...
    CaseKind kind = CaseKind::otherwise;
    int64_t number = 0;
    std::string text;   // kind text; kind regex: the pattern without its slashes
    std::string flags;  // after a regex's second slash: "i"
    Block body;
    Location at;
};
struct Switch {
    ExpressionPtr subject;
    std::vector<Case> cases;
};
// null: none given
struct Return {
    ExpressionPtr value;
};
struct Exit {
    ExpressionPtr value;
};
struct Drop {
    ExpressionPtr value;
};
struct Break {};
// { ... } of its own
struct BlockStatement {
    Block body;
};

struct Statement {
    Location at;
    std::variant<CallStatement, Assignment, If, While, Switch, Return, Exit, Drop, Break, BlockStatement> node;
    uint32_t height = 1;  // at most kMaxHeight
};

// --- top level ---------------------------------------------------------------------------------------
// `order` counts top-level statements through all files: loadmodule before modparam can be checked.
using Value = std::variant<int64_t, std::string>;  // yes/on/enabled are 1, no/off/disabled are 0; words are text

struct Setting {
    std::string name;
    Value value;
    Location at, value_at;
    uint32_t order = 0;
};

struct CustomSetting {  // pstn.gw_ip = "" desc "PSTN GW Address"
    std::string group, name;
    std::optional<int64_t> instance;  // tls[2].verify = 1
    Value value;
    std::string description;
    Location at, value_at;
    uint32_t order = 0;
};

struct SocketStatement {                  // listen= and socket={}
    std::string transport;                // "udp", "tcp", "tls", "sctp", "ws", "wss"; empty: any
    std::string host;                     // address without brackets, interface, host name, "*" for all
    std::vector<std::string> more_hosts;  // listen=sctp:(a, b)
    int64_t port = 0;                     // 0: the transport's default
    std::string advertise_host;
    int64_t advertise_port = 0;
    std::string name, agname;
    bool is_virtual = false;
    int64_t workers = 0;
    Location at;
    uint32_t order = 0;
};

struct AliasStatement {
    std::string transport, host;
    int64_t port = 0;
    Location at;
    uint32_t order = 0;
};

struct LoadModule {
    std::string path;             // as written: "tm.so", "tm", "/usr/lib/x/tm.so"
    std::string options;          // loadmodulex's second argument
    bool with_variables = false;  // loadmodulex: path may contain $variables
    Location at;
    uint32_t order = 0;
    std::string name() const;  // "tm"
};
// loadpath, mpath
struct ModulePath {
    std::string path;
    Location at;
};

struct ModParam {
    std::string modules;  // a name or a pattern: "nathelper|registrar"
    std::string name;
    Value value;
    bool with_variables = false;  // modparamx: text values may contain $variables
    Location at, value_at;
    uint32_t order = 0;
};

// flags FLT_ACC:1, FLT_NAT;
struct FlagDeclaration {
    std::string name;
    std::optional<int64_t> number;
    Location at;
};

enum class RouteKind : uint8_t { request, reply, failure, branch, onsend, event };
struct Route {
    RouteKind kind = RouteKind::request;
    std::string name;  // empty: the main route of its kind; event: "tm:local-request"
    Block body;
    Location at;
    uint32_t order = 0;
};

struct Define {  // as they stood at the end: core.ppdefines
    std::string name;
    std::string value;
    bool has_value = false;
    Location at;
};

enum class ScriptType : uint8_t { unmarked, kamailio, ser, maxcompat, all };  // the first line: #!KAMAILIO ...

struct Ast {
    Files files;
    ScriptType script_type = ScriptType::unmarked;
    std::vector<Setting> settings;  // each vector in file order
    std::vector<CustomSetting> custom_settings;
    std::vector<SocketStatement> sockets;
    std::vector<AliasStatement> aliases;
    std::vector<LoadModule> modules;
    std::vector<ModulePath> module_paths;
    std::vector<ModParam> modparams;
    std::vector<FlagDeclaration> flags, avpflags;
    std::vector<Route> routes;
    std::vector<Define> defines;
};

// --- text (tests, --cfg-print): valid configuration again, one statement per line, fully parenthesised --------
std::string to_text(const Expression& expression);
std::string to_text(const Block& block, int indent = 0);
std::string to_text(const Ast& ast);
std::string quoted(std::string_view text);      // "\"a\\n\""
std::string_view name_of(CoreOperand operand);  // "src_ip"
std::string_view symbol_of(BinaryOp op);        // "=="
std::string_view name_of(RouteKind kind);       // "request_route"

}  // namespace kahu::config
