// core/script/trace.h -- what a debugger sees of the running script: each statement and call before it is carried out.
//
// WHY    Module debugger prints them and stops at them; the interpreter must not know how.
// LIVES  set_tracer() before Program::compile(): a script that was compiled without a tracer has no points and costs
//        nothing.  Points belong to the program.
// LOCKS  None.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/module/descriptor.h"
#include "core/script/expression.h"
#include "core/script/value.h"

namespace kahu::script {

class Run;
struct VariableUse;

// Kamailio's numbers, for tools that read its trace.
enum class TracedAction : int {
    leave = 2,  // exit, return, drop, break
    route = 5,
    branch = 16,  // if
    choice = 21,  // switch
    loop = 23,    // while
    call = 24,    // of a function without arguments; one more for each argument
    assign = 63,
};

struct TracePoint {
    std::string route;  // "DEFAULT_ROUTE": the main one of its kind
    std::string file;
    uint32_t line = 0;
    int action = 0;
    std::string name;  // "if", "assign", a function's name
};
using TracePointPtr = std::shared_ptr<const TracePoint>;

struct Tracer {
    void (*step)(Run& run, const TracePoint& point) = nullptr;
    void (*assigned)(Run& run, const VariableUse& variable, const Value& value) = nullptr;
};
void set_tracer(const Tracer* tracer);  // nullptr: none.  REQUIRES: outlives the program
const Tracer* tracer();

// A variable that the traced script names, as it is written there.
struct NamedVariable {
    std::string text;  // "$avp(x)"
    ExpressionPtr value;
};
std::vector<NamedVariable>& traced_variables();

// $mi counts from here: Run::number() of the last message that is not counted.
uint64_t& message_number_base();

// What the last script was compiled with: for expressions that somebody asks for while it runs.
struct TracedEnvironment {
    std::span<const ModuleDescriptor*const> loaded, available;
};
TracedEnvironment& traced_environment();

// "request_route", "failure_route", ...: the kind of route that is running.
std::string_view route_kind_name(const Run& run);

}  // namespace kahu::script
