#include "core/script/statements.h"

#include "core/base/log.h"
#include "core/module/latency.h"
#include "core/script/params.h"
#include "core/script/program.h"
#include "core/script/variable.h"

namespace kahu::script {
namespace {

// A script that errs for one message errs for most: one line a second is enough.
log::RateLimit g_limit(1);

template <class... Fields>
void complain(const char* event, Fields&&... fields) {
    if (g_limit.allow()) LOG(error, event, std::forward<Fields>(fields)..., kv("suppressed", g_limit.suppressed()));
}

// False, and the script ends, when the message has taken too many steps.
bool spend_step(Run& run, std::string_view where) {
    if (++run.steps <= params::max_script_steps) return true;
    complain("script.too_many_steps", kv("at", where), kv("most", params::max_script_steps.get()));
    run.flow = Flow::exit_;
    return false;
}

}  // namespace

void TraceStatement::run(Run& run) const { tracer()->step(run, *point_); }

int FunctionCall::call(Run& run) const {
    if (point_ != nullptr) tracer()->step(run, *point_);
    // A route[X] can be reached from routes of any kind; the compiler checks the others.
    if ((row_.where & run.kind()) == 0) {
        complain("script.function.wrong_route", kv("at", where_), kv("function", row_.name));
        return run.return_code = -1;
    }
    const latency::Watch watch(latency::limit_action);
    const int rc = row_.call(run, args_);
    if (const latency::Micros took = watch.took_too_long(); took != 0)
        latency::tell("script.action.slow", row_.name, where_, took);
    run.return_code = rc;
    if (rc == 0 && run.flow == Flow::next) run.flow = Flow::exit_;
    return rc;
}

int RouteCall::call(Run& run) const {
    if (point_ != nullptr) tracer()->step(run, *point_);
    int route = number_;
    if (route < 0) {
        const std::string_view name = to_text(name_->value(run), run.arena());
        if (run.flow != Flow::next) return 0;
        route = run.program->find_route(config::RouteKind::request, name);
        if (route < 0) {
            complain("script.route.unknown", kv("at", where_), kv("route", name));
            return run.return_code = -1;
        }
    }
    if (run.route_depth >= params::max_recursive_level || run.route_depth >= Run::kMaxRouteDepth) {
        complain("script.route.too_deep", kv("at", where_), kv("depth", run.route_depth));
        return run.return_code = -1;
    }
    if (!spend_step(run, where_)) return run.return_code = -1;
    const latency::Watch watch(latency::limit_action);
    run.return_code = run.program->run_route(route, run);
    if (const latency::Micros took = watch.took_too_long(); took != 0)
        latency::tell("script.action.slow", "route", where_, took);
    return run.return_code;
}

void Assign::run(Run& run) const {
    const Value value = value_->result(run);
    run.last_value = 1;
    if (run.flow != Flow::next) return;
    if (std::exchange(run.evaluation_failed, false)) {
        run.last_value = -1;
        complain("script.division_by_zero", kv("at", use_.where), kv("variable", use_.name));
        return;
    }
    if (Status set = use_.row->set(run, use_, value); !set) {
        run.last_value = -1;
        complain("script.assignment.failed", kv("at", use_.where), kv("variable", use_.name),
                 kv("reason", set.error().text()));
    }
    if (tracer() != nullptr && tracer()->assigned != nullptr) tracer()->assigned(run, use_, target_->value(run));
}

void WhileStatement::run(Run& run) const {
    run.last_value = 1;
    const int64_t most = params::max_while_loops;
    for (int64_t loops = 0; condition_->truth(run) && run.flow == Flow::next; ++loops) {
        if (std::exchange(run.evaluation_failed, false)) return;
        if (loops >= most) {
            complain("script.while.too_long", kv("at", where_), kv("max_while_loops", most));
            return;
        }
        if (!spend_step(run, where_)) return;
        body_.run(run);
        if (run.flow != Flow::next) break;
    }
    if (run.flow == Flow::break_) run.flow = Flow::next;
}

SwitchStatement::SwitchStatement(ExpressionPtr subject, std::vector<Case> cases)
    : subject_(std::move(subject)), cases_(std::move(cases)) {
    for (const Case& one : cases_) as_text_ = as_text_ || one.kind == Case::Kind::text || one.kind == Case::Kind::regex;
}

bool SwitchStatement::matches(const Case& one, const Value& subject, std::string_view text) const {
    switch (one.kind) {
    case Case::Kind::number: return as_text_ ? text == one.text : to_integer(subject) == one.number;
    case Case::Kind::text: return text == one.text;
    case Case::Kind::regex: return one.regex->matches(text);
    case Case::Kind::otherwise: return false;
    }
    return false;
}

void SwitchStatement::run(Run& run) const {
    const Value subject = subject_->value(run);
    run.last_value = 1;
    if (run.flow != Flow::next) return;
    const std::string_view text = as_text_ ? to_text(subject, run.arena()) : std::string_view();
    size_t at = 0;
    while (at < cases_.size() && !matches(cases_[at], subject, text)) ++at;
    if (at == cases_.size())  // no match: `default`, wherever it stands
        for (at = 0; at < cases_.size() && cases_[at].kind != Case::Kind::otherwise;) ++at;
    for (; at < cases_.size() && run.flow == Flow::next; ++at) cases_[at].body.run(run);
    if (run.flow == Flow::break_) run.flow = Flow::next;
}

void FlowStatement::run(Run& run) const {
    if (value_ != nullptr) {
        const int64_t value = to_integer(value_->value(run));
        run.evaluation_failed = false;
        if (run.flow != Flow::next) return;
        run.last_value = static_cast<int>(value);
    } else {
        run.last_value = flow_ == Flow::break_ ? 0 : 1;  // what a route returns that ends with it
    }
    run.flow = flow_ == Flow::return_ && run.last_value == 0 ? Flow::exit_ : flow_;
}

}  // namespace kahu::script
